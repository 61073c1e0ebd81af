//go:build linux

package main

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/mattn/go-runewidth"
)

// Sizes of the picture, in pixels.
const (
	cellWidth  = 8.4
	cellHeight = 19
	fontSize   = 14
	margin     = 16
	titleBar   = 28
)

// svg draws lines as a terminal of so many columns. Each line is stretched to
// its number of columns, whatever the viewer's font.
func svg(lines []string, cols int) string {
	width := 2*margin + float64(cols)*cellWidth
	height := titleBar + 2*margin + len(lines)*cellHeight
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" viewBox="0 0 %.0f %d" role="img" aria-label="osssync in a terminal">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, `<rect width="%.0f" height="%d" rx="8" fill="#1b1f24"/>`+"\n", width, height)
	for i, colour := range []string{"#f47067", "#c69026", "#57ab5a"} {
		fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="6" fill="%s"/>`+"\n", margin+6+20*i, titleBar/2+4, colour)
	}
	fmt.Fprintf(&b, `<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="%d" fill="#d1d7de" xml:space="preserve">`+"\n", fontSize)
	for i, line := range lines {
		if line == "" {
			continue
		}
		look := ""
		if strings.HasPrefix(line, "$ ") {
			look = ` fill="#6cb6ff" font-weight="600"`
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" textLength="%.1f" lengthAdjust="spacingAndGlyphs"%s>`, margin, titleBar+margin+i*cellHeight+fontSize, float64(runewidth.StringWidth(line))*cellWidth, look)
		_ = xml.EscapeText(&b, []byte(line)) // a Builder takes everything
		b.WriteString("</text>\n")
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}
