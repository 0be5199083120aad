// The API page. A key in the fragment (docs#key=...) is never sent with the page's address; it is taken
// out of the address bar and used for "Try it out".
const key = new URLSearchParams(location.hash.slice(1)).get("key");
if (key) history.replaceState(null, "", location.pathname);
const ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  onComplete: () => key && ui.preauthorizeApiKey("bearer", key),
});
