// The only file that knows onnxruntime. A session is a loaded graph; values go in and out as tensors
// over plain typed arrays, which the binding passes by pointer on the way in.
import { InferenceSession, Tensor } from "onnxruntime-node";

export type { Tensor } from "onnxruntime-node";
export type Tensors = Record<string, Tensor>;

/**
 * How long a thread without work waits awake. The default is a million pauses, tens of milliseconds:
 * longer than a decode step, so the threads burn a core each between steps, and on a busy machine
 * they take it from the one they wait for. Between two operators there are tens of microseconds.
 */
const SPIN_MICROSECONDS = "100";

export class Session {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /**
   * Loads a graph and maps the weights beside it. `threads` share each operator. Matrices are packed
   * for the processor, into a copy of their own; without it (`isPacked` false) they are read where
   * they are mapped, together with other sessions, at less than half the speed (128 rows: 0.5 to 1.2 s
   * of processor time on the 135M, 2.0 to 4.1 s on the 0.5B).
   */
  static async load(
    file: string,
    { threads, isPacked = true }: { threads: number; isPacked?: boolean },
  ): Promise<Session> {
    const session = await InferenceSession.create(file, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      extra: {
        session: {
          intra_op: { spin_duration_us: SPIN_MICROSECONDS },
          disable_prepacking: isPacked ? "0" : "1",
        },
      },
    });
    return new Session(session);
  }

  /** Computes the named outputs; each comes back in a new array. */
  run(feeds: Tensors, outputs: readonly string[]): Promise<Tensors> {
    return this.#session.run(feeds, outputs) as Promise<Tensors>;
  }

  /**
   * Computes into the arrays of `targets`; one of them may be a feed as well, and is then updated in
   * place if the operator can. onnxruntime-node 1.30.0 computes into the given arrays, but then
   * copies every output into a new one, even those: 46 KB for every position in the cache and step.
   * It converts in the order of the graph's outputs and throws at the first that is no tensor; so
   * the graph's first output, `nocopy`, is a sequence, and this error is the way of success. A
   * binding that learns to return sequences just takes longer.
   */
  async runInto(feeds: Tensors, targets: Tensors): Promise<void> {
    try {
      await this.#session.run(feeds, { nocopy: null, ...targets });
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("Non tensor type"))) throw error;
    }
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

export function floatTensor(data: Float32Array, dimensions: readonly number[]): Tensor {
  return new Tensor("float32", data, dimensions);
}

export function intTensor(data: Int32Array, dimensions: readonly number[]): Tensor {
  return new Tensor("int32", data, dimensions);
}

export function longTensor(data: BigInt64Array, dimensions: readonly number[]): Tensor {
  return new Tensor("int64", data, dimensions);
}
