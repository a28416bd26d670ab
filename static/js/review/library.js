/** Beside the chosen cell of a signed case: whether the reference library shows it, or the way there. */

export class Library {
  constructor({ cells, onSelection }) {
    const form = document.querySelector("[data-hook=add-reference]");
    if (!form) return;
    const note = document.querySelector("[data-hook=in-library]");
    onSelection((cell) => {
      const isShown = cells.inLibrary.has(cell?.id);
      note.hidden = !isShown;
      form.hidden = isShown || !cell;
      if (cell) form.querySelector("[name=cell]").value = cell.id;
    });
  }
}
