// Where a page lives: in a widget, whose model holds sheet and state and whose messages carry the kernel's word.

/** The page as a widget: the model holds sheet and state, messages carry the kernel's verdicts. */
function render({ model, el }) {
  let turn = Math.floor(Math.random() * 2 ** 40), waiting; // two pages of one model do not take each other's answers for their own
  const bridge = {
    moved(state, numbers, more = {}) {
      turn += 1;
      clearTimeout(waiting);
      waiting = setTimeout(() => { page.verdict.textContent = page.sheet.words.nokernel; }, 3000);
      model.send({ turn, state, numbers, ...more });
      return turn;
    },
    swap(functions) { model.send({ turn, functions }); },
  };
  let page = new Page(el, model.get("sheet"), model.get("state"), bridge);
  const anew = () => { // another model: the page is made anew, with the focus where it was
    const menu = document.activeElement?.dataset?.swap;
    page.dispose();
    page = new Page(el, model.get("sheet"), model.get("state"), bridge);
    if (menu) page.root.querySelector(`[data-swap="${CSS.escape(menu)}"]`)?.focus();
  };
  const heard = (message, buffers) => {
    if (message.anew) anew();
    if (message.state) page.receive(message.state, message, buffers);
    if (message.turn === turn || message.turn === undefined && !message.state) { clearTimeout(waiting); if (message.turn) page.judge(message, buffers); }
  };
  model.on("msg:custom", heard);
  return () => { model.off("msg:custom", heard); clearTimeout(waiting); page.dispose(); };
}

export default { render };
