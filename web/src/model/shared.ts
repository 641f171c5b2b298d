// A program as other places show it.

/** A fence that no line of the text ends. */
function fence(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  return '`'.repeat(longest + 1);
}

/** For issues, chats and documents: the program, the command that plans it, and the link. */
export function markdown({ link, text, command }: { link: string; text: string; command: string }): string {
  const marks = fence(text);
  return `${marks}irplan\n${text.replace(/\n*$/, '\n')}${marks}\n\n\`${command}\` · [open in the playground](${link})\n`;
}

/** A frame for other pages (web/embed/README.md). */
export function frame({ link, file }: { link: string; file: string }): string {
  const [site, hash] = link.split('#', 2) as [string, string];
  const folder = site.replace(/[^/]*$/, '');
  const title = file.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return `<iframe src="${folder}embed/index.html#${hash}" title="${title}" width="720" height="640" loading="lazy"></iframe>`;
}
