// Asks for the token, and says why.
import { h } from "../ui/dom";

export function signIn(why: string, given: (token: string) => void): HTMLElement {
  const input = h("input", {
    id: "token", type: "password", autocomplete: "off", spellcheck: "false", required: true,
    "aria-describedby": why ? "token-why token-help" : "token-help", "aria-invalid": why ? "true" : undefined,
  });
  const form = h("form", { class: "sign-in" },
    h("h1", { id: "title", tabindex: "-1", text: "Covey" }),
    h("p", { id: "token-why", class: "problem", role: "alert", text: why }),
    h("label", { for: "token", text: "Token" }), input,
    h("p", { id: "token-help", class: "note" }, "A line of the controller's file of tokens. ", h("code", { text: "covey up" }),
      " prints an address that brings one along."),
    h("button", { type: "submit", class: "primary", text: "Open" }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const token = input.value.trim();
    if (token) given(token);
  });
  queueMicrotask(() => input.focus());
  return h("main", { class: "alone" }, form);
}
