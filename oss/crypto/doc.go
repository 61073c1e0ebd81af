// Package crypto encrypts objects on this side of the wire, in the envelope
// format of the vendor's SDKs: each reads what the other wrote.
//
// Every object has its own content key and initial counter. They travel with
// the object, in user metadata, wrapped with a master key that never leaves
// the [Provider]. The names of all this, as the code has them:
//
//   - a [Material] is a wrapped content key and counter, with what the metadata
//     says of them. It is no secret without the master key,
//   - a [Stream] is the key stream of one object, opened from its Material. It
//     enciphers and deciphers any byte by its offset,
//   - a [Provider] makes and opens Materials: [RSAProvider] with RSA keys at
//     hand, [KMSProvider] with a key of the vendor's key service.
//
// [Bucket] does the calls of [oss.Bucket] that read or write contents. An engine
// of its own needs only a Provider: keep the Material (it has a text form) next
// to the upload's id, send [Material.Meta] with InitiateMultipartUpload and each
// UploadPart, and apply [Stream.XORKeyStreamAt] to each part at its offset in
// the object.
//
// The cipher is AES-256 in CTR mode, whose text is as long as the plain one.
// The format has no authentication: who can write the object can change it, and
// flip single bits of the plain text. The CRC-64 that package oss compares, the
// ETag and all sizes are those of the cipher text. One key stream must never
// encipher two different texts: repeat a part only with the same bytes.
//
// Facts about the format are from the vendor's developer guide, "Client-side
// encryption", and its public SDKs.
package crypto
