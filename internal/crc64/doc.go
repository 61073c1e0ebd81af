// Package crc64 computes the CRC-64 that OSS returns as x-oss-hash-crc64ecma:
// CRC-64/XZ, the reflected ECMA-182 polynomial with all bits of the register
// set at the start and inverted at the end. Results equal those of hash/crc64
// with the table for crc64.ECMA, many times faster where the processor can
// multiply without carries. [Combine] joins the CRCs of neighbouring parts
// without their bytes.
//
// All functions are pure and safe for concurrent use.
package crc64
