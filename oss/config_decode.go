package oss

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
)

// decodeXML decodes a document whose root has one of the names. encoding/xml
// fills v, but the scanner reads: a prefix or key may hold characters that XML
// 1.0 has no place for.
func decodeXML(body []byte, v any, roots ...string) error {
	var err error
	for _, root := range roots {
		s := scanner{data: body}
		if err = s.root(root); err == nil {
			break
		}
	}
	if err != nil {
		return err
	}
	err = xml.NewTokenDecoder(&tokens{scanner{data: body}}).Decode(v)
	if errors.Is(err, io.EOF) {
		return errXMLEnd
	}
	return err
}

// tokens is a scanner as encoding/xml wants one.
type tokens struct{ scanner }

// Token implements xml.TokenReader.
func (t *tokens) Token() (xml.Token, error) {
	if t.empty {
		t.empty = false
		return t.end(), nil
	}
	for {
		i := bytes.IndexByte(t.data[t.at:], '<')
		if i < 0 {
			return nil, errXMLEnd
		}
		text := t.data[t.at : t.at+i]
		t.at += i
		if len(text) > 0 && t.depth > 0 {
			p, err := unescapeXML(text)
			if err != nil {
				return nil, err
			}
			return xml.CharData(p), nil
		}
		start := t.at
		skipped, err := t.markup()
		switch {
		case err != nil:
			return nil, err
		case !skipped:
			return t.tag()
		case bytes.HasPrefix(t.data[start:], []byte("<![CDATA[")):
			return xml.CharData(appendLines(nil, t.data[start+len("<![CDATA["):t.at-len("]]>")])), nil
		}
	}
}

// tag reads the tag at t.at.
func (t *tokens) tag() (xml.Token, error) {
	if t.at+1 < len(t.data) && t.data[t.at+1] == '/' {
		if err := t.leave(); err != nil {
			return nil, err
		}
		t.depth++ // end takes it off again
		return t.end(), nil
	}
	name, err := t.enter()
	if err != nil {
		return nil, err
	}
	return xml.StartElement{Name: xml.Name{Local: string(name)}}, nil
}

// end leaves the open element.
func (t *tokens) end() xml.Token {
	t.depth--
	return xml.EndElement{Name: xml.Name{Local: string(localName(t.stack[t.depth]))}}
}
