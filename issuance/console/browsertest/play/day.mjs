// A day at the office.
import { hand, check, play, look } from "./lib.mjs";
import { officer } from "./console.mjs";
await play(async (config, browser) => {
  const an = await officer(browser, config, "an");
  await look(an, "home-an");
  await hand("put", "blank");
  check((await hand("tamthe", "readers")).includes(" card "), "the reader sees no card");
  await hand("put", "stranger");
  check((await hand("tamthe", "readers")).includes(" card "), "the reader sees no card");
  await hand("clear");
  const chi = await officer(browser, config, "chi");
  await look(chi, "home-chi");
});
