// Where a page lives: in a widget, whose model holds sheet and state and whose messages carry the kernel's word.

/** The page as a widget: the model holds sheet and state, messages carry the kernel's verdicts. */
function render({ model, el }) {
  let turn = Math.floor(Math.random() * 2 ** 40), waiting; // two pages of one model do not take each other's answers for their own
  const page = new Page(el, model.get("sheet"), model.get("state"), {
    moved(state, numbers, more = {}) {
      turn += 1;
      clearTimeout(waiting);
      waiting = setTimeout(() => { page.verdict.textContent = page.sheet.words.nokernel; }, 3000);
      model.send({ turn, state, numbers, ...more });
      return turn;
    },
  });
  const heard = (message, buffers) => {
    if (message.state) page.receive(message.state, message, buffers);
    if (message.turn === turn || message.turn === undefined && !message.state) { clearTimeout(waiting); if (message.turn) page.judge(message, buffers); }
  };
  model.on("msg:custom", heard);
  return () => { model.off("msg:custom", heard); clearTimeout(waiting); page.dispose(); };
}

export default { render };
