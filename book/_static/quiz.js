// Quizzes: says whether an answer is right and why, and remembers what was. Without it the answers stand behind a fold.
const quiz = (() => {
  const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  const GROUPED = /^[+-]?[1-9]\d{0,2}(,\d{3})+$/;

  // What someone may mean who writes a number: 0.5, 0,5, −3, or 1,280, which can be read in two ways.
  function readings(text) {
    const plain = text.replace(/\s/g, "").replace("−", "-");
    const meant = [plain.replace(",", "."), ...(GROUPED.test(plain) ? [plain.replaceAll(",", "")] : [])];
    return meant.filter((each) => NUMBER.test(each)).map(Number);
  }

  // Which of some numbers a text means: its index, numbers.length if it is none of them, −1 if it is no number.
  function judge(text, numbers, tolerance) {
    const values = readings(text);
    if (!values.length) return -1;
    const slack = (number) => tolerance * (1 + 1e-9) + 1e-9 * Math.abs(number);
    const found = numbers.findIndex((number) => values.some((value) => Math.abs(value - number) <= slack(number)));
    return found < 0 ? numbers.length : found;
  }

  // The index of the answer given, or words that ask for one.
  function answer(form) {
    const field = form.querySelector("input[type=text]");
    const checked = form.querySelector(":checked");
    if (!field) return checked ? Number(checked.value) : "Choose an answer first.";
    if (!field.value.trim()) return "Write a number first.";
    const index = judge(field.value, form.dataset.numbers.split(" ").map(Number), Number(form.dataset.tolerance));
    return index < 0 ? "That is not a number. Write it like 0.5 or 0,5." : index;
  }

  const said = (form) => form.querySelector("[role=status]");
  const fold = (form) => form.querySelector("details");
  const given = (form) => form.querySelector(":checked, input[type=text]").value;

  // Show the feedback to an answer; return whether it is right.
  function show(form) {
    const index = answer(form);
    if (typeof index === "string") {
      said(form).className = "";
      said(form).textContent = index;
      return false;
    }
    const feedback = fold(form).querySelectorAll(":scope > dl > dd")[index].cloneNode(true);
    const right = index === Number(form.dataset.right);
    said(form).className = right ? "quiz-right" : "quiz-wrong";
    said(form).replaceChildren(...feedback.childNodes);
    form.querySelector(":checked")?.closest("label").classList.add(said(form).className);
    fold(form).hidden = false;
    return right;
  }

  function clear(form) {
    said(form).className = "";
    said(form).replaceChildren();
  }

  function reset(form) {
    form.reset();
    clear(form);
    form.querySelectorAll("label").forEach((label) => label.classList.remove("quiz-right", "quiz-wrong"));
    fold(form).hidden = true;
    fold(form).open = false;
  }

  function start(quiz) {
    const forms = [...quiz.querySelectorAll("form")];
    const status = quiz.querySelector(".quiz-score [role=status]");
    const name = `quiz ${quiz.dataset.quiz}`;
    let solved = {}; // what was answered right, by the key of its question

    // The storage of the browser may be shut or hold anything.
    function remember() {
      try {
        if (Object.keys(solved).length) localStorage.setItem(name, JSON.stringify(solved));
        else localStorage.removeItem(name);
      } catch {}
    }
    function recall() {
      try {
        return JSON.parse(localStorage.getItem(name)) ?? {};
      } catch {
        return {};
      }
    }
    const score = () => {
      status.textContent = `${forms.filter((form) => form.dataset.key in solved).length} of ${forms.length} right`;
    };

    for (const form of forms) {
      const button = form.querySelector(".quiz-check");
      button.hidden = button.disabled = false;
      fold(form).hidden = true;
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        if (!show(form)) return;
        solved[form.dataset.key] = given(form);
        remember();
        score();
      });
      form.addEventListener("input", () => clear(form));
      const before = recall()[form.dataset.key];
      if (typeof before !== "string") continue;
      const field = form.querySelector("input[type=text]");
      const radio = [...form.querySelectorAll("input[type=radio]")].find((each) => each.value === before);
      if (field) field.value = before;
      if (radio) radio.checked = true;
      if (show(form)) solved[form.dataset.key] = before;
      else reset(form);
    }

    const again = quiz.querySelector(".quiz-again");
    again.hidden = false;
    again.addEventListener("click", () => {
      forms.forEach(reset);
      solved = {};
      remember();
      score();
    });
    score();
  }

  document.querySelectorAll(".quiz").forEach(start);
  return { judge };
})();
