// Tabs as the ARIA practices have them: arrows move, one is in the tab order.

export function tabs(buttons: HTMLElement[], choose: (id: string) => void): (id: string) => void {
  const select = (id: string): void => {
    for (const button of buttons) {
      const chosen = button.id === id;
      button.setAttribute('aria-selected', String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
    choose(id);
  };
  buttons.forEach((button, i) => {
    button.addEventListener('click', () => select(button.id));
    button.addEventListener('keydown', (event) => {
      const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
      if (by === 0) return;
      const next = buttons[(i + by + buttons.length) % buttons.length]!;
      next.focus();
      select(next.id);
    });
  });
  return select;
}
