//go:build linux

package main

import (
	"encoding/xml"
	"io"
	"os"
	"strings"
	"testing"
)

func TestSVG(t *testing.T) {
	text := svg([]string{"$ a <b> & c", "", "漢字"}, 20)
	if !wellFormed(text) {
		t.Errorf("not well formed:\n%s", text)
	}
	for _, want := range []string{"$ a &lt;b&gt; &amp; c", `textLength="33.6"`, "漢字</text>"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
}

// TestPicture: the README has the picture, and it shows what it should.
func TestPicture(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "(internal/capture/osssync.svg)") {
		t.Error("the README does not show internal/capture/osssync.svg")
	}
	picture, err := os.ReadFile("osssync.svg")
	if err != nil {
		t.Fatal(err)
	}
	if !wellFormed(string(picture)) {
		t.Error("the picture is not well formed")
	}
	for _, want := range []string{"interrupted: ", "resuming job ", "MiB resumed", "ETA ", " parts "} {
		if !strings.Contains(string(picture), want) {
			t.Errorf("the picture does not show %q", want)
		}
	}
}

func wellFormed(text string) bool {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); err != nil {
			return err == io.EOF
		}
	}
}
