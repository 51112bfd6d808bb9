"""Text to ids as the product does it: from a GGUF's vocabulary, text never becomes a special token."""

from collections.abc import Sequence

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

# As sidecar/tokenizer/pre-tokenizer.ts has them, by `tokenizer.ggml.pre`.
QWEN2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PRE_TOKENIZERS = {
    "smollm": lambda: [
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False),
    ],
    "qwen2": lambda: [
        pre_tokenizers.Split(Regex(QWEN2_PATTERN), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ],
}
NORMAL, CONTROL, UNUSED = 1, 3, 5  # gguf.TokenType


class TextTokenizer:
    """`types` is the GGUF's token type of every token."""

    def __init__(self, tokens: Sequence[str], types: Sequence[int], merges: Sequence[str], pre: str) -> None:
        if pre not in PRE_TOKENIZERS:
            raise ValueError(f"pre-tokenizer {pre!r}, supported are {', '.join(PRE_TOKENIZERS)}")
        vocabulary = {token: index for index, token in enumerate(tokens)}
        pairs = [tuple(merge.split(" ", 1)) for merge in merges]
        self._tokenizer = Tokenizer(models.BPE(vocabulary, pairs))
        self._tokenizer.pre_tokenizer = pre_tokenizers.Sequence(PRE_TOKENIZERS[pre]())
        self._tokenizer.decoder = decoders.ByteLevel()
        self._special = {token: vocabulary[token] for token, kind in zip(tokens, types) if kind != NORMAL}
        self._special_ids = frozenset(self._special.values())
        unused = [index for index, kind in enumerate(types) if kind == UNUSED]
        # Rows that training hardly moved; a model without unused ids has its control tokens.
        self.untrained_ids = unused or [index for index, kind in enumerate(types) if kind == CONTROL]
        self.vocabulary_size = len(tokens)

    def encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(text).ids

    def encode_with_ends(self, text: str) -> tuple[list[int], list[int]]:
        """Ids, and the character of the text behind each."""
        encoding = self._tokenizer.encode(text)
        return encoding.ids, [end for _, end in encoding.offsets]

    def count_lines(self, lines: list[str]) -> list[int]:
        """Tokens of every line with its end."""
        return [len(each.ids) for each in self._tokenizer.encode_batch([f"{line}\n" for line in lines])]

    def decode(self, ids: Sequence[int]) -> str:
        return self._tokenizer.decode(list(ids), skip_special_tokens=False)

    def is_special(self, index: int) -> bool:
        return index in self._special_ids

    def special_id(self, token: str) -> int | None:
        return self._special.get(token)

    @property
    def has_middle(self) -> bool:
        """Whether the model fills in the middle (Qwen2.5-Coder's names)."""
        return self.special_id("<|fim_middle|>") is not None

    def header(self, path: str) -> list[int]:
        """The line that names a file, as sidecar/completion/layout.ts has it."""
        separator = self.special_id("<|file_sep|>")
        return self.encode(f"// {path}\n") if separator is None else [separator, *self.encode(f"{path}\n")]
