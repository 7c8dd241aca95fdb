export async function check(service) {
  const answer = await fetch(service.url);
  return { name: service.name, up: answer.ok };
}
