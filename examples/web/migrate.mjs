// Brings the stored data to the newest version, one step after the other.
import { connect } from "./database.mjs";

const steps = [
  (database) => database.set("visits", 0),
  (database) => database.hSet("prices", { kettle: 30, hob: 250 }),
];
const database = await connect();
for (let version = Number(await database.get("version")); version < steps.length; ++version) {
  await steps[version](database);
  await database.set("version", version + 1);
  console.log(`step ${version + 1} of ${steps.length} is done`);
}
await database.quit();
