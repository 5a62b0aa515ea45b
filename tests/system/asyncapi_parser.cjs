// Reads the AsyncAPI document named on the command line with the official parser; errors and warnings fail.
const { readFileSync } = require("node:fs");
const { Parser } = require("@asyncapi/parser");

const WARNING = 1;

new Parser().parse(readFileSync(process.argv[2], "utf8")).then(({ document, diagnostics }) => {
  const wrong = diagnostics.filter((one) => one.severity <= WARNING);
  for (const one of wrong) console.log(`${one.path.join(".")}: ${one.message}`);
  if (document) console.log(JSON.stringify({
    version: document.version(),
    channels: document.channels().all().map((one) => one.address()),
    sent: document.operations().filterBySend().length,
    received: document.operations().filterByReceive().length,
  }));
  process.exit(document && wrong.length === 0 ? 0 : 1);
});
