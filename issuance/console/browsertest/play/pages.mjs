// Pages that stand alone: looked at in each language that they are in.
import { check, look, play, visitor } from "./lib.mjs";

await play(async ({ pages }, browser) => {
  for (const { name, url, lang, has } of pages) {
    const who = await visitor(browser, new URL(url).origin, { lang, name });
    const answer = await who.page.goto(url);
    check(answer.ok(), `${name}: ${answer.status()}`);
    const text = await who.page.locator("body").innerText();
    for (const h of has ?? []) check(text.includes(h), `${name}: no ${h}`);
    await look(who, name);
    await who.context.close();
  }
});
