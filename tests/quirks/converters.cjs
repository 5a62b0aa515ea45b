// Prints, a line each, what zigbee2mqtt makes of the data points of every device of Tuya's that it knows:
// {file, model, models, points: [{point, name, unit, switches, told: [[raw, value], …]}]}; argv: raw values.
const fs = require("node:fs");
const path = require("node:path");
const dist = path.dirname(require.resolve("zigbee-herdsman-converters"));
const {prepareDefinition} = require("zigbee-herdsman-converters");

console.log = console.info = console.error = () => {};  // some converters tell of what they don't know
const RAW = [false, true, ...JSON.parse(process.argv[2])];
const OTHERS = ["climate", "cover", "fan", "lock"];  // their on/off is no outlet's

function told(converter, raw, definition) {
  const meta = {device: {manufacturerName: ""}, state: {}, mapped: definition};
  try {
    return converter?.from ? converter.from(raw, meta, {}, () => {}, {}, {}) : null;
  } catch {
    return null;
  }
}

for (const file of fs.readdirSync(path.join(dist, "devices")).filter((name) => name.endsWith(".js"))) {
  for (const written of require(path.join(dist, "devices", file)).definitions ?? []) {
    const definition = prepareDefinition(written);
    const points = definition.meta?.tuyaDatapoints ?? [];
    if (!points.length) continue;
    const shown = definition.exposes;
    const all = typeof shown === "function" ? shown({isDummyDevice: true}, {}) : shown;
    const exposes = new Map();
    for (const one of all.flatMap((each) => [each, ...(each.features ?? [])])) {
      exposes.set(one.property ?? one.type, one);
    }
    const types = all.map((each) => each.type);
    const models = (definition.fingerprint ?? [])
      .filter((one) => one.modelID && one.manufacturerName && !one.applicationVersion)
      .map((one) => `${one.manufacturerName}/${one.modelID}`);
    const found = points.flatMap(([point, name, converter]) => {
      const whole = RAW.map((raw) => told(converter, raw, definition));
      const parts = whole.filter((one) => one && typeof one === "object");  // one point that says several things
      const names = name ? [name] : [...new Set(parts.flatMap(Object.keys))];
      return !point ? [] : names.map((each) => ({
        point, name: each,
        unit: exposes.get(each)?.unit ?? "",
        switches: types.includes("switch") && !types.some((type) => OTHERS.includes(type)),
        told: RAW.map((raw, at) => [raw, (name ? whole[at] : whole[at]?.[each]) ?? null]),
      }));
    });
    process.stdout.write(`${JSON.stringify({
      file: file.replace(/\.js$/, ".ts"), model: definition.model, what: definition.description, models, points: found,
    })}\n`);
  }
}
