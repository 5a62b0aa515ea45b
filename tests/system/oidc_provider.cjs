// A provider of OpenID Connect that nobody here wrote: PORT CALLBACK. Whoever signs in is in the groups that their
// name says: night-eva is in `night`.
const { pathToFileURL } = require("node:url");
const [port, callback] = process.argv.slice(2);

import(pathToFileURL(require.resolve("oidc-provider"))).then(({ Provider }) => {
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [{ client_id: "console", client_secret: "s3cret: +/", redirect_uris: [callback] }],
    claims: { openid: ["sub"], profile: ["name"], groups: ["groups"] },
    cookies: { keys: ["only a test"] },
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `Fru ${id}`, groups: [id.split("-")[0]] }),
    }),
  });
  provider.listen(Number(port), "127.0.0.1", () => console.log("listening"));
});
