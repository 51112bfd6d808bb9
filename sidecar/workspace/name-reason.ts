// What can never become a memory by its name alone, so that it need not be opened.
import { basename, extname } from "node:path";
import type { SkipReason } from "./skip-reason.ts";

/** Made by a tool. */
const generatedNames =
  /^(package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|bun\.lockb?|packages\.lock\.json|package\.resolved|go\.sum|.+\.(lock|lockfile|lock\.hcl|map|snap|pb\.go|g\.dart|designer\.cs|tsbuildinfo)|.*_pb2(_grpc)?\.pyi?|.*[._-]generated\.\w+)$/i;

/** Endings of pictures, sound, films, type, archives, documents, programs, data bases and models. */
const binaryEndings = new Set(
  `png jpg jpeg jpe jfif gif bmp ico icns webp avif heic heif tif tiff tga psd psb xcf cr2 exr dds ktx ktx2
  mp3 mp4 m4a m4v aac flac ogg oga ogv opus wav aif aiff mid midi wma wmv webm mkv mov avi flv mpg mpeg 3gp
  ttf otf woff woff2 eot pfb
  zip gz tgz bz2 tbz2 xz txz zst lz lz4 lzma br 7z rar tar jar war ear aar apk aab ipa whl egg gem nupkg vsix crx xpi deb rpm msi cab dmg iso
  pdf doc docx docm xls xlsx xlsm ppt pptx odt ods odp epub mobi djvu
  exe dll so dylib lib a o obj class pyc pyo pyd wasm node bin elf ko sys efi pdb ilk pch gch rlib rmeta
  db sqlite sqlite3 mdb accdb ibd myd parquet arrow feather orc avro rdb lmdb
  gguf ggml onnx ckpt safetensors h5 hdf5 tflite mlmodel npy npz pkl joblib
  blend fbx glb stl 3ds unitypackage uasset umap
  der`
    .split(/\s+/)
    .map((ending) => `.${ending}`),
);

export function reasonByName(path: string): SkipReason | null {
  const name = basename(path);
  if (generatedNames.test(name)) return "generated";
  if (/\.min\.\w+$/i.test(name)) return "minified";
  return binaryEndings.has(extname(name).toLowerCase()) ? "binary" : null;
}
