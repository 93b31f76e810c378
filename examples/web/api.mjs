import { createServer } from "node:http";
import { connect } from "./database.mjs";

const database = await connect();

async function answer(request) {
  if (request.url === "/health") return { ok: await database.ping() === "PONG" };
  if (request.url === "/api/visits") return { greeting: process.env.GREETING, visits: await database.incr("visits") };
  if (request.url.startsWith("/api/order/") && request.method === "POST") {
    if (request.headers.authorization !== `Bearer ${process.env.API_TOKEN}`) return null;
    return { waiting: await database.rPush("jobs", request.url.slice("/api/order/".length)) };
  }
  return undefined;
}

const server = createServer(async (request, response) => {
  try {
    const body = await answer(request);
    response.statusCode = body === null ? 401 : body === undefined ? 404 : 200;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(body ?? {}) + "\n");
  } catch (error) {
    response.statusCode = 503;
    response.end(JSON.stringify({ error: error.message }) + "\n");
  }
});
server.listen(Number(process.env.API_PORT), "127.0.0.1");
process.on("SIGTERM", () => server.close(() => database.quit()));
