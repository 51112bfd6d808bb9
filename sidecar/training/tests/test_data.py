import json
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

from training import data, packages
from training.duplicates import Duplicates
from training.packages import LICENCES, SIZES, Package, SourceFile, check_licence, list_packages, read_package
from training.samples import make_continuations, make_demonstrations
from training.spans import cut_spans, identifiers_of
from training.store import Dataset
from training.tests.tiny import NAMES, tiny_sources, tiny_tokenizer

BENCH_PACKAGES = Path(__file__).parents[3] / "test" / "bench" / "cross-file-packages.ts"
package = Package("toy", "train", "npm", "made-up", "1.0.0", "MIT", "src")


class PackageList(unittest.TestCase):
    def test_a_package_is_in_one_split_and_none_is_judged_by_the_benchmark(self):
        listed = list_packages("full")
        names = [each.name for each in listed]
        self.assertEqual(len(names), len(set(names)))
        judged = BENCH_PACKAGES.read_text()
        self.assertIn('["zod",', judged)
        self.assertEqual([name for name in names if f'["{name}",' in judged], [])

    def test_every_size_has_every_split_and_only_permissive_licences(self):
        for size in SIZES:
            splits = {each.split for each in list_packages(size)}
            self.assertEqual(splits, {"train", "validation", "test"})
        self.assertEqual({each.licence for each in list_packages("full")} - set(LICENCES), set())

    def test_a_package_that_says_another_licence_is_refused(self):
        check_licence(package, "(MIT OR Apache-2.0)")
        with self.assertRaisesRegex(ValueError, "GPL"):
            check_licence(package, "GPL-3.0")

    def test_compiled_files_beside_their_source_are_left_out(self):
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "packages" / "npm-made-up-1.0.0" / "src"
            (source / "dist").mkdir(parents=True)
            for name in ("one.ts", "one.js", "two.js", "three.d.ts", "dist/four.js"):
                (source / name).write_text("const value = 1;\n" * 40)
            files = read_package(package, Path(folder))
        self.assertEqual([each.path for each in files], ["one.ts", "two.js"])


class DuplicateFiles(unittest.TestCase):
    def test_exact_and_near_copies_are_not_new(self):
        text = "\n".join(f"const value{index} = compute(input{index});" for index in range(200))
        seen = Duplicates()
        self.assertTrue(seen.is_new(text))
        self.assertFalse(seen.is_new(text))
        self.assertFalse(seen.is_new(text.replace("value17", "renamed")))
        self.assertTrue(seen.is_new(text.replace("compute", "read").replace("const", "let")))


class Spans(unittest.TestCase):
    def test_spans_are_whole_lines_within_the_limit_and_lose_nothing(self):
        tokenizer = tiny_tokenizer()
        for file in tiny_sources():
            spans = cut_spans(file, tokenizer.count_lines, 200)
            self.assertGreater(len(spans), 1)
            lines = file.text.split("\n")
            for span in spans:
                self.assertEqual(span.text.split("\n")[0], lines[span.first_line])
                self.assertLessEqual(len(tokenizer.encode(f"{span.text}\n")), 200)
            told = [line for span in spans for line in span.text.split("\n") if line.strip()]
            self.assertEqual(told, [line for line in lines if line.strip()])


class Samples(unittest.TestCase):
    def test_the_needed_span_has_a_name_of_the_target_that_the_near_text_lacks(self):
        count = tiny_tokenizer().count_lines
        samples = list(make_continuations(tiny_sources(), count, lambda _: 200))
        self.assertGreater(len(samples), len(NAMES) // 2)
        for sample in samples:
            needed = sample.spans[sample.needed]
            self.assertNotEqual(needed.path, sample.path)
            shared = identifiers_of(sample.target.split("\n")[0]) & needed.names
            self.assertTrue(shared - identifiers_of(sample.near))

    def test_demonstrations_have_the_shape_of_the_query(self):
        (sample,) = [each for each in make_demonstrations(tiny_sources()) if each.query == "register("]
        self.assertGreaterEqual(len(sample.demonstrations), 4)
        self.assertNotIn(sample.query + sample.answer, sample.demonstrations)


class Build(unittest.TestCase):
    def build(self, with_middle: bool, folder: Path):
        tokenizer = tiny_tokenizer(with_middle)
        sources = iter(tiny_sources()[start : start + 4] for start in (0, 4, 8))
        splits = [Package("toy", split, "npm", split, "1.0.0", "MIT", ".") for split in ("test", "validation", "train")]
        with (
            patch.object(data, "list_packages", lambda size: splits),
            patch.object(data, "read_package", lambda each: next(sources)),
            patch.object(data, "stated_licence", lambda each: "MIT"),
        ):
            totals = data.build(tokenizer, "toy", folder)
        return tokenizer, totals

    def test_a_split_is_written_and_read_back(self):
        with tempfile.TemporaryDirectory() as name:
            tokenizer, totals = self.build(False, Path(name))
            dataset = Dataset(Path(name) / "train.npz")
            self.assertEqual(len(dataset), totals["train"]["samples"])
            self.assertGreater(len(dataset), 2)
            manifest = json.loads((Path(name) / "manifest.json").read_text())
            self.assertEqual([each["licence"] for each in manifest["packages"]], ["MIT"] * 3)
            calls = [each for each in dataset if "2Value('" in tokenizer.decode(each.target)]
            self.assertTrue(calls)
            for sample in calls:
                called = tokenizer.decode(sample.target).strip().removeprefix("return ").split("(")[0]
                self.assertIn(f"function {called}", tokenizer.decode(sample.far[sample.needed]))
                self.assertLessEqual(len(sample.target), data.TARGET_TOKENS)

    def test_a_token_over_the_border_belongs_to_the_target(self):
        tokenizer = tiny_tokenizer()
        encoder = data.SampleEncoder(tokenizer, None)
        near, target = encoder.cut("a {\n", "    b();\n")
        self.assertEqual(tokenizer.decode(near), "a {")
        self.assertEqual(tokenizer.decode(target), "\n    b();\n")

    def test_a_model_that_fills_in_the_middle_gets_some_samples_that_way(self):
        with tempfile.TemporaryDirectory() as name:
            tokenizer, _ = self.build(True, Path(name))
            samples = [*Dataset(Path(name) / "train.npz"), *Dataset(Path(name) / "test.npz")]
        middle = tokenizer.special_id("<|fim_middle|>")
        in_middle = [each for each in samples if each.near[-1] == middle]
        self.assertTrue(0 < len(in_middle) < len(samples))
        for sample in in_middle:
            self.assertNotIn("\n", tokenizer.decode(sample.target).strip())


class Client(unittest.TestCase):
    def test_every_ecosystem_of_the_list_has_a_client(self):
        self.assertEqual({each.ecosystem for each in list_packages("full")} - packages.CLIENTS.keys(), set())


class Files(unittest.TestCase):
    def test_a_package_without_sources_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "packages" / "npm-made-up-1.0.0" / "src").mkdir(parents=True)
            with self.assertRaisesRegex(ValueError, "no sources"):
                read_package(package, Path(folder))


if __name__ == "__main__":
    unittest.main()
