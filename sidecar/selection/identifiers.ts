// The identifiers of a text, without parsing it: half a line of code has them too.

/** Words of the languages themselves, which say nothing of what a text is about. */
const keywords: ReadonlySet<string> = new Set(
  `abstract and any as assert async await bool boolean break byte case catch char class const
  constexpr continue crate debugger declare def default defer del delete do double echo elif else
  elseif elsif end endif enum except export extends extern false False final finally float fn for
  foreach from func function global go goto if impl implements import in include inline instanceof
  int interface internal is keyof lambda let long loop match mod module mut namespace never new nil
  None nonlocal not null nullptr number object of or override package pass private protected pub
  public raise readonly ref require return self Self sizeof static std str string struct super
  switch template then this throw throws trait true True try type typedef typename typeof
  undefined union unknown unless unsafe unsigned until use using val var virtual void when where
  while with yield`.split(/\s+/),
);

/** As in all languages here; one letter names nothing that lies in another file. */
const identifier = /[\p{L}_$][\p{L}\p{N}_$]+/gu;

/** In the order of the text, as often as they occur. */
export function identifiersOf(text: string): string[] {
  return (text.match(identifier) ?? []).filter((word) => !keywords.has(word));
}

/** Borders of `snake_case`, `camelCase` and `HTTPServer`. */
const partBorder = /[_$]+|(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u;

/** The identifiers and, in small letters, the parts they are made of: `userName user name`. */
export function termsOf(text: string): string[] {
  return identifiersOf(text).flatMap((name) => {
    const parts = name.split(partBorder).filter((part) => part.length > 1);
    return parts.length < 2 ? [name] : [name, ...parts.map((part) => part.toLowerCase())];
  });
}
