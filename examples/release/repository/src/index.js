import { check } from "./check.js";

export async function report(services) {
  return Promise.all(services.map(check));
}
