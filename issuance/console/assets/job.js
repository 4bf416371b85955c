// Shows how far a job has come, and goes on to its result.
const job = document.getElementById("job");
if (job && !job.hidden) {
  const events = new EventSource(job.dataset.events);
  events.onmessage = (m) => {
    const s = JSON.parse(m.data);
    if (s.next) {
      events.close();
      location.replace(s.next);
      return;
    }
    if (s.error) {
      events.close();
      job.hidden = true;
      document.getElementById("failure").hidden = false;
      document.getElementById("failure-message").textContent = s.error.Message;
      document.getElementById("failure-hint").textContent = s.error.Hint;
      document.getElementById("error-code").textContent = s.error.Code;
      if (s.back) document.getElementById("back").href = s.back;
      document.getElementById("back").focus();
      return;
    }
    if (s.what) document.getElementById("job-step").textContent = s.what;
    const bar = document.getElementById("job-bar");
    if (s.total) {
      bar.max = s.total;
      bar.value = s.done || 0;
    } else {
      bar.removeAttribute("value");
    }
  };
}
