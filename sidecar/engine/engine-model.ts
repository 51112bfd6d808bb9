// What the engine has to know of a prepared model: where its files lie and the shape of its graph.
// The graph's inputs and outputs are listed at the head of cache-way.ts.

export interface EngineModel {
  /** Absolute; its weights lie in files beside it. */
  readonly graphFile: string;
  /** Attention without weights, see attention.ts; loaded when first asked for. */
  readonly attentionGraphFile: string;
  /** The same graph as `graphFile` with low-rank factors as further inputs; loaded at need. */
  readonly compressorGraphFile: string;
  readonly embeddings: EmbeddingFile;
  readonly shape: ModelShape;
}

/** The embedding table, a row of `hiddenSize` columns for every id, little endian. */
export interface EmbeddingFile {
  readonly file: string;
  /** 32: float32 values. 8: codes and block scales, laid out as `embeddings.ts` says. */
  readonly bits: number;
  /** Columns that share a scale and an offset where `bits` is 8. */
  readonly blockSize: number;
}

/** The part of the shape that the key/value cache depends on. */
export interface CacheShape {
  readonly layerCount: number;
  readonly kvHeadCount: number;
  readonly headDim: number;
  readonly ropeBase: number;
  /** Rotary pairs are (2i, 2i + 1) if true, (i, i + headDim / 2) if false. */
  readonly rotaryInterleaved: boolean;
}

export interface ModelShape extends CacheShape {
  readonly hiddenSize: number;
  readonly headCount: number;
  readonly vocabularySize: number;
  readonly contextLength: number;
}
