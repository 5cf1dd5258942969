// Begins: finds the token or asks for it, and shows the app.
import "./styles/main.css";
import { ApiClient, ApiError, explain } from "./api/client";
import { App } from "./app";
import { Feed } from "./feed";
import { Store } from "./store/store";
import { startTheme } from "./theme";
import { forgetToken, keepToken, keptToken, tokenFromAddress } from "./token";
import { signIn } from "./views/sign_in";

function ask(why = ""): void {
  document.title = "Covey";
  document.body.replaceChildren(signIn(why, (token) => void enter(token, true)));
}

// A controller that wants no token answers without one as well.
async function enter(token: string, tell: boolean): Promise<void> {
  const client = new ApiClient(token);
  try {
    await client.get("v1/engines?limit=1");
  } catch (error) {
    const refused = error instanceof ApiError && (error.isTokenRefused || error.status === 403);
    if (refused) {
      forgetToken();
      return ask(tell || token ? explain(error) : "");
    }
    // It may be back soon: the app says that it does not answer, and goes on trying.
  }
  if (token) keepToken(token);
  show(client);
}

function show(client: ApiClient): void {
  const store = new Store();
  const leave = (why: string) => {
    feed.stop();
    app.stop();
    forgetToken();
    ask(why);
  };
  const feed = new Feed(client, store, leave);
  const app = new App({ client, store, feed }, () => leave(""));
  document.body.replaceChildren(app.element);
  feed.start();
}

startTheme();
const given = tokenFromAddress();
void enter(given ?? keptToken() ?? "", given !== undefined);
// Another address with a token, pasted over this one, does not load the page again.
addEventListener("hashchange", () => {
  if (tokenFromHash(location.hash)) location.reload();
});

function tokenFromHash(hash: string): boolean {
  return hash.startsWith("#token=");
}
