"use strict";

// The page asks the agent of this computer (tamthe agent serve) to do the login, where there
// is one. Without this script, or with the reader at another computer, the codes are typed.
(() => {
  const here = document.getElementById("here");
  const use = document.getElementById("use");
  const pairing = document.getElementById("pairing");
  const status = document.getElementById("status");
  const kept = "tamthe-agent-pairing"; // for as long as the tab is open, for this origin

  const words = {
    asking: ["Hãy trả lời trong chương trình trên máy này.", "Answer in the program on this computer."],
    pair: ["Gõ mã mà chương trình hiện ra.", "Type the code that the program shows."],
    absent: ["Không thấy chương trình trên máy này.", "No program answers on this computer."],
    pairing: ["Mã ghép đôi không đúng.", "That is not the code."],
    locked: ["Sai quá nhiều lần; đợi một phút, rồi dùng mã mới.", "Too often wrong: wait a minute for another code."],
    busy: ["Chương trình đang làm một lần đăng nhập khác.", "The program is at another login."],
    "no-consent": ["Bạn không đồng ý; chưa đọc gì của thẻ.", "You did not agree; nothing was read."],
    done: ["Xong.", "Done."],
  };

  const element = (name, text) => Object.assign(document.createElement(name), { textContent: text });

  // say shows what is going on; message is the agent's own, in the language that it speaks.
  const say = (code, message) => {
    const [vi, en] = words[code] || ["Không thành công.", "It came to nothing."];
    const english = element("em", en);
    english.lang = "en";
    status.replaceChildren(vi + " ", english);
    if (!words[code]) status.append(" ", element("code", code), message ? " " + message : "");
  };

  // ask is one call; what is no answer of an agent is none.
  const ask = async (verb, code) => {
    const headers = { "Content-Type": "application/json" };
    const known = sessionStorage.getItem(kept);
    if (known) headers.Authorization = "Bearer " + known;
    try {
      const reply = await fetch(here.dataset.agent + "/agent/v1/" + verb, {
        method: "POST", mode: "cors", credentials: "omit", cache: "no-store", redirect: "error", referrerPolicy: "no-referrer",
        headers, body: JSON.stringify({ code }),
      });
      const out = await reply.json();
      return reply.ok ? out : { code: String(out.code), message: out.message };
    } catch {
      return { code: "absent" };
    }
  };

  const pair = () => {
    sessionStorage.removeItem(kept);
    pairing.hidden = false;
    document.getElementById("pair").focus();
    say("pair");
  };

  const login = async () => {
    if (!sessionStorage.getItem(kept)) return pair();
    use.disabled = true;
    say("asking");
    const out = await ask("login", here.dataset.code);
    use.disabled = false;
    if (out.code === "unpaired") return pair();
    if (!/^[0-9]{6}$/.test(out.finish)) return say(out.code || "absent", out.message);
    say("done");
    document.getElementById("finish").value = out.finish;
    document.getElementById("login").requestSubmit();
  };

  use.addEventListener("click", login);
  pairing.addEventListener("submit", async (event) => {
    event.preventDefault();
    const out = await ask("pair", document.getElementById("pair").value.replaceAll(" ", ""));
    document.getElementById("pair").value = "";
    if (!/^[0-9a-f]{64}$/.test(out.pairing)) return say(out.code || "absent");
    sessionStorage.setItem(kept, out.pairing);
    pairing.hidden = true;
    login();
  });
  here.hidden = false;
})();
