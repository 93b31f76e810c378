// Takes one job after the other. It is restarted when Redis was.
import { connect } from "./database.mjs";

const database = await connect();
console.log("waits for jobs");
for (;;) {
  const { element } = await database.blPop("jobs", 0);
  const price = await database.hGet("prices", element);
  if (!price) throw new Error(`nobody sells '${element}'`);
  await database.incrBy("earned", Number(price));
  console.log(`sold a ${element} for ${price}`);
}
