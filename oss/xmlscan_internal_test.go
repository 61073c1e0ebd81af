package oss

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// xmlObject is ObjectSummary as encoding/xml reads it.
type xmlObject struct{ Key, ETag, Type, StorageClass, LastModified, Size string }

type xmlPage struct {
	XMLName        xml.Name `xml:"ListBucketResult"`
	IsTruncated    string
	Contents       []xmlObject
	CommonPrefixes []struct{ Prefix []string }
}

func listingPage(n int) []byte {
	var b strings.Builder
	b.WriteString(xml.Header + "<ListBucketResult><Name>examplebucket</Name><Prefix>data%2F</Prefix><MaxKeys>1000</MaxKeys>" +
		"<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>CgJiYw--</NextContinuationToken><KeyCount>1000</KeyCount>")
	for i := range n {
		fmt.Fprintf(&b, "<Contents><Key>data%%2F2024-06-12%%2Fpart-%06d.parquet</Key><LastModified>2024-06-12T08:15:30.000Z</LastModified>"+
			"<ETag>&quot;5B3C1A2E053D763E1B002CC607%06d&quot;</ETag><Type>Normal</Type><Size>%d</Size><StorageClass>Standard</StorageClass></Contents>", i, i, i*1000)
	}
	b.WriteString("</ListBucketResult>")
	return []byte(b.String())
}

// FuzzListing holds the scanner against encoding/xml: what that accepts the
// scanner must read alike. The scanner may accept more.
func FuzzListing(f *testing.F) {
	f.Add(listingPage(2))
	f.Add([]byte("<ListBucketResult xmlns='x'><IsTruncated>false</IsTruncated><Contents a=\"1>\"><Key>a<!--x-->b<![CDATA[<c>]]>&#x41;\r\n</Key></Contents></ListBucketResult>"))
	f.Add([]byte("<ListBucketResult><IsTruncated/><CommonPrefixes><Prefix>a</Prefix></CommonPrefixes></ListBucketResult >"))
	f.Add([]byte("<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a<!-- x -->b<![CDATA[<c>\r]]>&#x41;\r\n</Key><ETag>\"e\"</ETag></Contents></ListBucketResult>"))
	f.Add([]byte("<ListBucketResult><IsTruncated>true</IsTruncated><Contents><x:Key y='1>'>a</x:Key><Owner><ID>k</ID></Owner></Contents><CommonPrefixes><Prefix>p</Prefix></CommonPrefixes></ListBucketResult>"))
	f.Add([]byte("\ufeff<?xml version='1.0'?><Error><Code>x</Code></Error>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := parseObjects(body)
		var want xmlPage
		if xml.Unmarshal(body, &want) != nil || unusual(body, &want) || errors.Is(err, errXMLDepth) {
			return
		}
		if err != nil {
			t.Fatalf("%v, but encoding/xml reads it: %q", err, body)
		}
		var prefixes []string
		for _, c := range want.CommonPrefixes {
			prefixes = append(prefixes, c.Prefix...)
		}
		if len(got.objects) != len(want.Contents) || !slices.Equal(got.prefixes, prefixes) || got.truncated != (want.IsTruncated == "true") {
			t.Fatalf("%d objects, prefixes %q, want %d and %q: %q", len(got.objects), got.prefixes, len(want.Contents), prefixes, body)
		}
		for i, w := range want.Contents {
			g := got.objects[i]
			if g.Key != w.Key || g.ETag != unquoteETag(w.ETag) || g.Type != w.Type || g.StorageClass != w.StorageClass || !g.LastModified.Equal(parseXMLTime(w.LastModified)) {
				t.Fatalf("object %d: got %+v, want %+v: %q", i, g, w, body)
			}
		}
	})
}

// unusual marks documents that parseObjects refuses for what they say, and those
// with a document type or text before the root, which it does not read.
func unusual(body []byte, page *xmlPage) bool {
	before, _, _ := bytes.Cut(bytes.TrimPrefix(body, []byte(xml.Header)), []byte("<ListBucketResult"))
	if len(before) > 0 || page.IsTruncated == "" || bytes.Contains(body, []byte("EncodingType")) ||
		bytes.Contains(body, []byte("KeyCount")) || bytes.Contains(body, []byte("Size")) || documentType.Match(body) {
		return true
	}
	return slices.ContainsFunc(page.Contents, func(o xmlObject) bool { return o.Key == "" })
}

var documentType = regexp.MustCompile("<![^-[]")

func FuzzErrorXML(f *testing.F) {
	f.Add([]byte("<Error><Code>NoSuchKey</Code><Message>x</Message></Error>"))
	f.Add([]byte("<Error><Code>a<b/>c</Code>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for name, value := range parseErrorXML(body) {
			if name == "" || len(value) > 4*len(body)+64 {
				t.Fatalf("%q: %q", name, value)
			}
		}
		_, _ = parseVersions(body)
		_, _ = parseUploads(body)
		_, _ = parseParts(body)
		_, _ = parseDeleted(body)
		_ = checkRoot(body, "Error")
	})
}

// FuzzXMLText: whatever a key holds, it arrives.
func FuzzXMLText(f *testing.F) {
	f.Add("a<b>&\"'\x01\n\r\t]]>")
	f.Add("\ufffe\uffff\x7f é")
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		doc := append(appendXMLText([]byte("<a>"), text), "</a>"...)
		s := scanner{data: doc}
		if err := s.root("a"); err != nil {
			t.Fatal(err)
		}
		got, err := s.text()
		if err != nil || got != text {
			t.Fatalf("got %q, %v, want %q", got, err, text)
		}
	})
}

func TestScannerRefuses(t *testing.T) {
	for _, text := range []string{
		"", "text", "<a", "<a>", "<a></b>", "<a>&unknown;</a>", "<a>&#xd800;</a>", "<a>&#1114112;</a>", "<a>&amp</a>",
		"<a b='></a>", "<1/>", "< a/>", "<a><!-- </a>", "<a><![CDATA[ </a>", "<!DOCTYPE a><a/>", "</a>", "x<a/>",
	} {
		s := scanner{data: []byte(text)}
		err := s.root("a")
		if err == nil {
			_, err = s.text()
		}
		if err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func BenchmarkListing(b *testing.B) {
	page := listingPage(1000)
	b.Run("reader=scanner", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		b.ReportAllocs()
		for b.Loop() {
			p, err := parseObjects(page)
			if err != nil || len(p.objects) != 1000 {
				b.Fatal(err)
			}
		}
	})
	b.Run("reader=encoding-xml", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		b.ReportAllocs()
		for b.Loop() {
			var p xmlPage
			if err := xml.Unmarshal(page, &p); err != nil || len(p.Contents) != 1000 {
				b.Fatal(err)
			}
		}
	})
}
