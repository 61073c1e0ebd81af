// Package osstest tests clients and servers of OSS: a conformance suite
// ([Run]), a transport that calls a handler without a socket ([Transport]), and
// faults on demand ([Faults]). Only tests import it.
package osstest
