// Package emulator is an OSS-compatible server to embed: the counterpart of
// this project's tests, and the storage behind its offline mode.
//
// A Server keeps buckets, objects and multipart uploads in memory or in a
// directory, verifies signatures of versions 1, 2 and 4, and answers with the
// headers, documents and errors of the real service as far as the vendor's
// clients depend on them. What it does not implement it refuses with 501
// NotImplemented; it never answers with a wrong success.
//
// SelectObject and CreateSelectObjectMeta run SQL on CSV and JSON, plain or
// GZIP, in frames or raw; nothing is kept of the counts, so that a range needs
// no meta before it. A split is 4 MiB. Processing (x-oss-process, by GET or
// into another object, and styles) is that of images: JPEG, PNG and GIF, the
// first picture of an animation, up to 20 MiB and 40 million pixels, with
// info, average-hue, resize, crop, indexcrop, rotate, flip, auto-orient,
// format, quality, circle, rounded-corners, bright, contrast, sharpen and
// blur. What results is as large and as formatted as the service's, but not
// the same byte for byte. Other processing is InvalidArgument, as watermarks
// are, and asynchronous processing is refused as for a bucket without a
// project of media processing.
//
// Configuration of buckets and of the account is checked, kept and given back
// as by the service. It has its effects where they need no other server:
// CORS, policy (for anonymous callers, without conditions), blocked public
// access, requester pays, referer, default encryption, overwriting, retention,
// index documents, the metadata index. The rest is kept only: logs and
// inventories are not written, nothing is replicated, fetched, mirrored,
// streamed or throttled, and answers on the progress of such things say so.
//
// With a directory an answer of success means that the effect is on the disk:
// after a crash every acknowledged object is there, and none is torn.
//
// Browsers may upload by forms (PostObject): the form's policy and signature,
// of version 1 or 4, are checked as the service does, with its error codes.
//
// Failures of the real service can be staged: see Fault. A server can be
// reached by https, by further names and by names that are buckets: see
// Options. That strangers' clients accept it is tested in the folder interop.
//
// The package imports nothing else of this module. It has its own signer, XML
// and checksums, so that a mistake in the client cannot cancel out here.
package emulator
