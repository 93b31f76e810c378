import assert from "node:assert";
import { test } from "node:test";

test("the page comes from Vite, and what it asks for from the API", async () => {
  const page = await fetch(process.env.WEB_URL);
  assert.match(await page.text(), /Kettles/);
  const visits = await (await fetch(`${process.env.WEB_URL}/api/visits`)).json();
  assert.ok(visits.visits > 0);
});

test("an order needs the token", async () => {
  const refused = await fetch(`${process.env.API_URL}/api/order/kettle`, { method: "POST" });
  assert.equal(refused.status, 401);
});
