// The bearer token: from the address's fragment, where nobody but this page sees it, or from the form. It lives as long as the tab.
const kKey = "covey-token";

// Takes `token=…` out of the fragment and out of the address bar.
export function tokenFromAddress(): string | undefined {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const token = parameters.get("token");
  if (token === null || location.hash.startsWith("#/")) return undefined;
  history.replaceState(null, "", `${location.pathname}${location.search}#/`);
  return token;
}

export function keptToken(): string | undefined {
  return sessionStorage.getItem(kKey) ?? undefined;
}

export function keepToken(token: string): void {
  sessionStorage.setItem(kKey, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(kKey);
}
