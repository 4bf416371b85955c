// A citizen logs in with the card in this computer's reader: the login page asks the agent
// that runs here. A hostile page, and one that reaches the agent by another name, get nothing.
import { check, hand, look, play, visitor } from "./lib.mjs";

await play(async ({ authorize, agent, portal, hostile, rebound }, browser) => {
  const origin = new URL(authorize).origin;
  const who = await visitor(browser, origin, { name: "agent", others: [agent, portal] });
  who.forgive(/status of 40[13]/); // the browser's own words for a refusal, which the page tells
  const { page } = who;

  await page.goto(authorize);
  await look(who, "eid-agent");
  await page.getByRole("button", { name: "Dùng đầu đọc của máy này" }).click();
  const code = page.getByLabel('Mã sau chữ "pair"');
  await code.fill("00000000");
  await page.getByRole("button", { name: "Ghép đôi" }).click();
  await page.getByText("Mã ghép đôi không đúng.").waitFor();
  await look(who, "eid-agent-pairing");
  await code.fill(await hand("pair"));
  await page.getByRole("button", { name: "Ghép đôi" }).click();
  await page.waitForURL(portal + "/back?*");
  check(new URL(page.url()).searchParams.get("code"), "the portal has no code of the first login");

  await page.goto(authorize);
  await page.getByRole("button", { name: "Dùng đầu đọc của máy này" }).click(); // paired before
  await page.waitForURL(portal + "/back?*");
  check(new URL(page.url()).searchParams.get("code"), "the portal has no code of the second login");

  await hand("away");
  await page.goto(authorize);
  await page.getByRole("button", { name: "Dùng đầu đọc của máy này" }).click();
  await page.locator("#status code", { hasText: "no-card" }).waitFor();
  await look(who, "eid-agent-refused");

  const code2 = await hand("pair");
  for (const [what, at] of Object.entries({ hostile, rebound })) {
    const bad = await visitor(browser, new URL(at).origin, { name: what, others: [agent] });
    bad.forgive(/./);
    await bad.page.goto(at);
    const got = await bad.page.evaluate(
      async ([to, pair]) => {
        try {
          const r = await fetch(to + "/agent/v1/pair", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ code: pair }) });
          return await r.text();
        } catch (e) {
          return "nothing: " + e.name;
        }
      },
      [what === "hostile" ? agent : new URL(at).origin, code2],
    );
    check(what === "hostile" ? got === "nothing: TypeError" : JSON.parse(got).code === "host", `${what}: ${got}`);
    await bad.context.close();
  }
  check((await hand("pair")) === code2, "a hostile page used a code up");
  await who.context.close();
});
