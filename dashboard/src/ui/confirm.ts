// Asks before something that cannot be undone.
import { h } from "./dom";

export function confirm(question: string, consequence: string, action: string): Promise<boolean> {
  return new Promise((resolve) => {
    const dialog = h(
      "dialog",
      { "aria-labelledby": "confirm-question", "aria-describedby": "confirm-consequence" },
      h("form", { method: "dialog" },
        h("h2", { id: "confirm-question", text: question }),
        h("p", { id: "confirm-consequence", text: consequence }),
        h("div", { class: "actions" },
          h("button", { value: "no", text: "Keep it", autofocus: true }),
          h("button", { value: "yes", class: "danger", text: action }))),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
