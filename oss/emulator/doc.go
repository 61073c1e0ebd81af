// Package emulator is an OSS-compatible server to embed: the counterpart of
// this project's tests, and the storage behind its offline mode.
//
// A Server keeps buckets, objects and multipart uploads in memory or in a
// directory, verifies signatures of versions 1, 2 and 4, and answers with the
// headers, documents and errors of the real service as far as the vendor's
// clients depend on them. What it does not implement it refuses with 501
// NotImplemented; it never answers with a wrong success. Of objects these are
// processing (x-oss-process: images, documents, media), SelectObject, and
// retention and legal hold of single objects.
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
