// The document of the token-budget view. Nothing but its own program and style may be loaded.

export interface BudgetDocument {
  language: string;
  title: string;
  /** Addresses of the program and the style, and where styles may come from. */
  program: string;
  style: string;
  styleSource: string;
  /** Admits the one program; another for every document. */
  nonce: string;
}

export function budgetHtml({
  language,
  title,
  program,
  style,
  styleSource,
  nonce,
}: BudgetDocument): string {
  const policy = `default-src 'none'; style-src ${styleSource}; script-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="${language}">
  <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="${policy}">
    <title>${title}</title>
    <link rel="stylesheet" href="${style}">
  </head>
  <body>
    <main id="page"></main>
    <div id="announcement" role="status" aria-live="polite"></div>
    <script nonce="${nonce}" src="${program}"></script>
  </body>
</html>`;
}
