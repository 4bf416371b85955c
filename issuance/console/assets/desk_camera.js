// A portrait, or a picture of one: from a file or the camera, cut to its shape and made small
// enough on this machine. A file that fits already is sent as it is. Without this script the
// file is sent, and the server says what is wrong with it.
for (const box of document.querySelectorAll("[data-portrait]")) {
  const most = Number(box.dataset.portrait);
  const shape = Number(box.dataset.shape) || 3 / 4;
  const [file, data] = [box.querySelector('input[type="file"]'), box.querySelector('input[type="hidden"]')];
  const [open, shoot] = [box.querySelector(".camera"), box.querySelector(".shoot")];
  const [video, preview, note] = [box.querySelector("video"), box.querySelector(".preview"), box.querySelector(".note-line")];
  const must = file.required;
  let stream = null;

  const close = () => {
    if (stream) for (const t of stream.getTracks()) t.stop();
    stream = null;
    video.hidden = shoot.hidden = true;
    open.hidden = !(navigator.mediaDevices && navigator.mediaDevices.getUserMedia);
  };
  const fail = (text) => {
    preview.hidden = true;
    preview.removeAttribute("src");
    data.value = "";
    file.required = must;
    note.textContent = text || "";
  };
  const show = async (blob, w, h, text) => {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    let raw = "";
    for (let i = 0; i < bytes.length; i += 8192) raw += String.fromCharCode(...bytes.subarray(i, i + 8192));
    data.value = btoa(raw);
    preview.src = "data:image/jpeg;base64," + data.value;
    preview.hidden = false;
    note.textContent = `${w} × ${h}, ${blob.size} byte. ${text || ""}`;
  };
  // take draws a picture's middle in that shape, and lowers the quality until it fits.
  const take = async (source, width, height) => {
    const w = Math.min(width, height * shape), h = w / shape;
    if (box.dataset.small && (w < 300 || h < 400)) return fail(box.dataset.small);
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(Math.min(480, w));
    canvas.height = Math.round(canvas.width / shape);
    canvas.getContext("2d").drawImage(source, (width - w) / 2, (height - h) / 2, w, h, 0, 0, canvas.width, canvas.height);
    for (let quality = 0.92; quality >= 0.4; quality -= 0.08) {
      const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
      if (blob && blob.size <= most) {
        file.value = "";
        file.required = false;
        return show(blob, canvas.width, canvas.height, box.dataset.madeSmall);
      }
    }
    fail(box.dataset.tooLarge);
  };

  file.addEventListener("change", async () => {
    close();
    const f = file.files[0];
    if (!f) return fail();
    try {
      if (f.size > 40e6) throw new Error();
      const picture = await createImageBitmap(f);
      const { width, height } = picture;
      const ratio = width / height;
      if (f.type === "image/jpeg" && f.size <= most && ratio > shape * 0.94 && ratio < shape * 1.09 && width * height <= 4e6) await show(f, width, height);
      else await take(picture, width, height);
      picture.close();
    } catch {
      fail(box.dataset.unreadable);
    }
  });
  open.addEventListener("click", async () => {
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, height: { ideal: 960 }, facingMode: "user" } });
      video.srcObject = stream;
      video.hidden = shoot.hidden = false;
      open.hidden = true;
      await video.play();
      shoot.focus();
    } catch {
      close();
      fail(box.dataset.noCamera);
    }
  });
  shoot.addEventListener("click", async () => {
    await take(video, video.videoWidth, video.videoHeight);
    close();
    open.focus();
  });
  addEventListener("pagehide", close);
  close();
}
