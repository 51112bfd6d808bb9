import unittest

import torch

from training.adapter import ARMS, RATIOS, Adapter, count_of, pool
from training.forms import cut_form, embedded_form, embedded_positions, raw_form
from training.generate import generate, prefill, target_losses
from training.losses import Pair, Task, continuation_loss, nll, pooled, reconstruction_loss, selection_loss
from training.metrics import LINE_TOKENS, distance, has_line, line_tasks, score
from training.prompt import join, memory_prompt, raw_prompt, target_logits
from training.tests.tiny import tiny_backbone

backbone = tiny_backbone()
random = torch.Generator().manual_seed(2)


def ids(length: int) -> torch.Tensor:
    return torch.randint(2, 250, (length,), generator=random)


def stirred(arm: str) -> Adapter:
    """With LoRA that does something."""
    adapter = Adapter(arm, backbone)
    with torch.no_grad():
        for parameter in adapter.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=random)
    return adapter


class Compression(unittest.TestCase):
    def test_a_piece_alone_and_in_a_batch_have_the_same_virtual_tokens(self):
        pieces = [ids(40), ids(9), ids(1)]
        for arm in ARMS:
            adapter = stirred(arm)
            for ratio in RATIOS:
                together = adapter.compress(backbone, pieces, ratio)
                for piece, virtual in zip(pieces, together):
                    self.assertEqual(virtual.shape, (count_of(len(piece), ratio), 32))
                    (alone,) = adapter.compress(backbone, [piece], ratio)
                    torch.testing.assert_close(virtual, alone, atol=1e-4, rtol=1e-4)

    def test_the_first_slots_are_a_smaller_memory(self):
        for arm in ("uni", "uni+ slots"):
            adapter, piece = stirred(arm), ids(48)
            (fine,), (coarse,) = (adapter.compress(backbone, [piece], ratio) for ratio in (4, 12))
            torch.testing.assert_close(fine[: len(coarse)], coarse, atol=1e-4, rtol=1e-4)

    def test_pools_are_means_of_blocks_as_even_as_can_be(self):
        states = torch.arange(10.0)[:, None]
        self.assertEqual(pool(states, 4).flatten().tolist(), [0.5, 3.0, 5.5, 8.0])

    def test_the_decoder_is_bit_identical_after_compressing(self):
        embeds = backbone.embed(ids(20))[None]
        before = backbone.run(embeds)
        adapter = stirred("uni+ slots")
        with adapter.compressing(backbone):
            during = backbone.run(embeds)
        self.assertTrue(torch.equal(before, backbone.run(embeds)))
        self.assertGreater((during - before).abs().max(), 1e-2)

    def test_the_faithful_arm_has_no_lora(self):
        names = {name.split(".")[0] for name, _ in Adapter("uni", backbone).named_parameters()}
        self.assertEqual(names, {"sep", "slot", "cont", "rec", "projection", "norm"})


class Prompts(unittest.TestCase):
    def test_a_block_sees_the_sink_and_itself_only(self):
        blocks = [torch.randn(3, 32, generator=random), torch.randn(2, 32, generator=random)]
        closing, text = torch.randn(32, generator=random), ids(5)

        def states(first: torch.Tensor) -> torch.Tensor:
            batch = join([memory_prompt(backbone, [first, blocks[1]], closing, text)])
            return backbone.run(batch.embeds, batch.mask)[0]

        before, after = states(blocks[0]), states(blocks[0] + 1)
        second = slice(4 + 4, 4 + 4 + 3)
        torch.testing.assert_close(before[second], after[second])
        self.assertGreater((before[-5:] - after[-5:]).abs().max(), 1e-2)

    def test_neither_padding_nor_packing_changes_anything(self):
        prompts = [raw_prompt(backbone, ids(9), ids(4)), raw_prompt(backbone, ids(0), ids(7))]
        prompts.append(memory_prompt(backbone, [torch.randn(3, 32)], torch.randn(32), ids(6)))
        batch = join(prompts)
        states = backbone.run(batch.embeds, batch.mask)
        together = backbone.logits(
            torch.cat([state[length - 3 : length - 1] for state, length in zip(states, batch.lengths)])
        )
        packed = target_logits(backbone, prompts, [2, 2, 2])
        torch.testing.assert_close(together, packed, atol=1e-4, rtol=1e-4)
        alone = torch.cat([target_logits(backbone, [each], [2]) for each in prompts])
        torch.testing.assert_close(packed, alone, atol=1e-4, rtol=1e-4)

    def test_generating_in_a_batch_is_generating_without_a_cache(self):
        prompts = [
            raw_prompt(backbone, ids(9), ids(4)),
            memory_prompt(backbone, [torch.randn(3, 32), torch.randn(2, 32)], torch.randn(32), ids(6)),
        ]
        answers = generate(backbone, prefill(backbone, join(prompts)), 6, lambda answer: False)
        for prompt, answer in zip(prompts, answers):
            embeds = torch.cat([prompt.embeds, backbone.embed(torch.tensor(answer))])
            groups = torch.cat([prompt.groups, torch.full((6,), -1)])
            self.assertEqual(target_logits(backbone, [type(prompt)(embeds, groups)], [6]).argmax(-1).tolist(), answer)


    def test_the_loss_behind_a_cache_is_the_loss_of_the_whole(self):
        prompts = [
            raw_prompt(backbone, ids(9), ids(4)),
            memory_prompt(backbone, [torch.randn(3, 32), torch.randn(2, 32)], torch.randn(32), ids(6)),
        ]
        targets = [ids(5), ids(1)]
        losses = target_losses(backbone, prefill(backbone, join(prompts)), targets)
        for prompt, target, loss in zip(prompts, targets, losses):
            embeds = torch.cat([prompt.embeds, backbone.embed(target)])
            groups = torch.cat([prompt.groups, torch.full((len(target),), -1)])
            whole = target_logits(backbone, [type(prompt)(embeds, groups)], [len(target)])
            self.assertAlmostEqual(loss, nll(whole, target).sum().item(), places=3)


class Losses(unittest.TestCase):
    def test_every_trained_part_gets_a_gradient(self):
        for arm in ARMS:
            adapter = stirred(arm)
            tasks = [Task([ids(30), ids(11)], ids(8), ids(5)) for _ in range(2)]
            pairs = [Pair(ids(10), ids(20), ids(15)) for _ in range(2)]
            loss = continuation_loss(backbone, adapter, tasks, 4)
            loss = loss + reconstruction_loss(backbone, adapter, [ids(12), ids(20)], 8)
            (loss + selection_loss(backbone, adapter, pairs, 12)).backward()
            still = [name for name, each in adapter.named_parameters() if each.grad is None or not each.grad.any()]
            self.assertEqual(still, [])

    def test_the_divergence_from_the_teacher_is_part_of_the_loss(self):
        tasks = [Task([ids(30)], ids(8), ids(5))]
        adapter = stirred("uni")
        with_kl, without = (continuation_loss(backbone, adapter, tasks, 4, each) for each in (True, False))
        self.assertGreater(with_kl.item(), without.item())

    def test_pooled_vectors_have_length_one(self):
        vectors = pooled(backbone, stirred("uni+ pool"), [ids(9), ids(30)], 4)
        torch.testing.assert_close(vectors.norm(dim=-1), torch.ones(2))


class Scores(unittest.TestCase):
    def test_a_line_that_the_model_writes_itself_is_an_exact_match(self):
        far, near = [ids(20)], ids(8)
        built, _ = raw_form(backbone)(Task(far, near, near), near)
        (answer,) = generate(
            backbone, prefill(backbone, join([built])), LINE_TOKENS, lambda each: has_line(backbone.tokenizer, each)
        )
        task = Task(far, near, torch.tensor(answer))
        (scored,) = score(backbone, [task], raw_form(backbone))
        self.assertEqual((scored.exact, scored.similarity, scored.positions), (1.0, 1.0, 20))
        other = torch.tensor([(each + 1) % 250 for each in answer])
        (missed,) = score(backbone, [Task(far, near, other)], raw_form(backbone))
        self.assertLess(missed.similarity, 1.0)

    def test_raw_text_is_cut_to_the_positions_of_the_embedded_form(self):
        task = Task([ids(40), ids(9)], ids(8), ids(5))
        text = torch.cat([task.near, task.target])
        cut, cut_positions = cut_form(backbone, 4)(task, text)
        embedded, positions = embedded_form(backbone, stirred("uni"), 4)(task, text)
        self.assertEqual(positions, embedded_positions(task.far, 4))
        self.assertEqual(cut_positions, positions)
        self.assertEqual(len(cut.embeds), len(embedded.embeds))

    def test_a_line_ends_with_the_token_that_holds_its_end(self):
        encode = backbone.tokenizer.encode
        task = Task([], ids(3), torch.tensor(encode("\n    call(a)\n\nnext line\n")))
        (cut,) = line_tasks(backbone.tokenizer, [task])
        self.assertEqual(backbone.tokenizer.decode(cut.target.tolist()), "\n    call(a)\n")

    def test_edit_distance(self):
        for first, second, wanted in (("", "abc", 3), ("kitten", "sitting", 3), ("same", "same", 0)):
            self.assertEqual(distance(first, second), wanted)


if __name__ == "__main__":
    unittest.main()
