// A receiver by MQTT.js: PORT VERSION TOPIC… prints each message as a line of JSON; a line "TOPIC JSON" on standard
// input is published.
const mqtt = require("mqtt");
const readline = require("node:readline");

const [port, version, ...topics] = process.argv.slice(2);
const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { protocolVersion: Number(version) });
client.on("connect", () => client.subscribe(topics, { qos: 1 }, () => console.log(JSON.stringify({ ready: true }))));
client.on("message", (topic, payload, { qos, retain }) =>
  console.log(JSON.stringify({ topic, payload: payload.toString(), qos, retain })));
readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const at = line.indexOf(" ");
  client.publish(line.slice(0, at), line.slice(at + 1), { qos: 1 });
});
