// Package interop holds tests alone: the vendor's Go SDKs, versions 2 and 1, as
// clients of the embedded server, and their signers as judges of our client's
// requests. It is a module of its own, so that the SDKs are no dependencies of
// anything else. The README says what was tried.
package interop
