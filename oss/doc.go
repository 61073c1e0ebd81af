// Package oss is a client of Alibaba Cloud Object Storage Service (OSS).
//
// A [Client] talks to one endpoint, a [Bucket] names one bucket of it, and
// every method of the two is exactly one request: nothing here retries, sleeps
// or writes files. [Classify] says what a caller may do about an error.
//
// What the bytes go through on their way:
//
//   - a request body is read, hashed and sent in one pass; the hash is compared
//     with the CRC-64 of the answer, and a difference is an [IntegrityError],
//   - a response body is hashed as it is read; a body that is short or wrong
//     ends with an error in place of io.EOF,
//   - a range that the server did not answer as asked is an error before the
//     first byte.
//
// A Client and its Buckets are safe for concurrent use. Facts about the
// protocol are from the vendor's "API Reference" of OSS and its public SDKs.
package oss
