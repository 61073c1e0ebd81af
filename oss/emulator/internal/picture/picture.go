// Package picture processes images as the service's x-oss-process=image/...
// does: JPEG, PNG and GIF, the first picture of an animation, with the
// operations that the standard library makes cheap. It keeps no metadata.
package picture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strconv"
	"strings"
)

// Limits. The service's are of this order; ours bound the memory that one
// request takes to some 500 MB.
const (
	// MaxSource is the longest image, in bytes.
	MaxSource = 20 << 20

	maxPixels     = 40_000_000 // of an image, and of every result
	maxSide       = 16_384     // of a result, in pixels
	maxOperations = 20
)

// Error is what is wrong with the operations or the image, with the code that
// the service gives it.
type Error struct {
	Code, Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func invalid(format string, args ...any) error {
	return &Error{"InvalidArgument", fmt.Sprintf(format, args...)}
}

// Result is what processing gives.
type Result struct {
	Data []byte
	Type string // the Content-Type
}

// work is an image on its way through the operations.
type work struct {
	img     *image.NRGBA
	format  string // jpg, png or gif
	quality int    // of jpg, from 1 to 100
	source  []byte
	rotated bool // as its metadata says
}

// operations are the ones there are, but for info and average-hue, whose
// results are no images.
var operations = map[string]func(*work, *params) error{
	"resize": resize, "crop": crop, "indexcrop": indexCrop, "rotate": rotate, "flip": flip, "auto-orient": autoOrient,
	"format": setFormat, "quality": setQuality, "circle": circle, "rounded-corners": roundedCorners,
	"bright": bright, "contrast": contrast, "sharpen": sharpen, "blur": blur,
}

// Process runs operations, as "resize,w_100/rotate,90", on an image.
func Process(data []byte, list string) (*Result, error) {
	if len(data) > MaxSource {
		return nil, &Error{"ImageTooLarge", fmt.Sprintf("The image has more than %d bytes.", MaxSource)}
	}
	names := strings.Split(strings.Trim(list, "/"), "/")
	if len(names) > maxOperations {
		return nil, invalid("There are more than %d operations.", maxOperations)
	}
	cfg, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, invalid("This image format is not supported.")
	}
	if format == "jpeg" {
		format = "jpg"
	}
	if len(names) == 1 && names[0] == "info" {
		return info(data, cfg, format)
	}
	if cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width > maxPixels/cfg.Height {
		return nil, &Error{"ImageTooLarge", fmt.Sprintf("The image has more than %d pixels.", maxPixels)}
	}
	steps := make([]*params, len(names))
	for i, text := range names {
		steps[i] = parseParams(text)
		if operations[steps[i].name] == nil && (steps[i].name != "average-hue" || i+1 < len(names)) {
			return nil, invalid("Unsupported operation: %s.", steps[i].name)
		}
	}
	img, err := decode(data, format)
	if err != nil {
		return nil, invalid("The image is damaged: %v.", err)
	}
	w := &work{img: img, format: format, quality: qualityOf(data), source: data}
	for _, p := range steps {
		if p.name == "average-hue" {
			return averageHue(w.img)
		}
		if err := operations[p.name](w, p); err != nil {
			return nil, err
		}
	}
	return w.encode()
}

// decode decodes the first picture, from 0, 0 on. image.Decode would take all
// of an animation.
func decode(data []byte, format string) (*image.NRGBA, error) {
	var img image.Image
	var err error
	switch r := bytes.NewReader(data); format {
	case "jpg":
		img, err = jpeg.Decode(r)
	case "png":
		img, err = png.Decode(r)
	default:
		img, err = gif.Decode(r)
	}
	if err != nil {
		return nil, err
	}
	b := img.Bounds()
	if b.Empty() {
		return nil, image.ErrFormat
	}
	if n, ok := img.(*image.NRGBA); ok && b.Min == (image.Point{}) {
		return n, nil
	}
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(out, out.Rect, img, b.Min, draw.Src)
	return out, nil
}

func (w *work) encode() (*Result, error) {
	var b bytes.Buffer
	var err error
	typ := "image/" + w.format
	switch w.format {
	case "jpg":
		typ = "image/jpeg"
		flat := image.NewRGBA(w.img.Rect) // transparent becomes white
		draw.Draw(flat, flat.Rect, image.White, image.Point{}, draw.Src)
		draw.Draw(flat, flat.Rect, w.img, image.Point{}, draw.Over)
		err = jpeg.Encode(&b, flat, &jpeg.Options{Quality: w.quality})
	case "png":
		err = png.Encode(&b, w.img)
	default:
		err = gif.Encode(&b, w.img, nil)
	}
	if err != nil {
		return nil, err
	}
	return &Result{b.Bytes(), typ}, nil
}

// info tells what an image is, as the service's JSON has it.
func info(data []byte, cfg image.Config, format string) (*Result, error) {
	type field struct {
		Value string `json:"value"`
	}
	b, err := json.MarshalIndent(map[string]field{
		"FileSize": {strconv.Itoa(len(data))}, "Format": {format}, "FrameCount": {"1"},
		"ImageHeight": {strconv.Itoa(cfg.Height)}, "ImageWidth": {strconv.Itoa(cfg.Width)},
	}, "", "  ")
	return &Result{b, "application/json"}, err
}

// averageHue is the mean of all pixels.
func averageHue(img *image.NRGBA) (*Result, error) {
	var sum [3]uint64
	for i := 0; i+3 < len(img.Pix); i += 4 {
		for c := range sum {
			sum[c] += uint64(img.Pix[i+c])
		}
	}
	n := uint64(len(img.Pix) / 4)
	return &Result{fmt.Appendf(nil, `{"RGB": "0x%02x%02x%02x"}`, sum[0]/n, sum[1]/n, sum[2]/n), "application/json"}, nil
}

// params are the parameters of an operation, as "resize,w_100,m_fixed".
type params struct {
	name   string
	first  string // one without a name, as in "rotate,90"
	values map[string]string
}

func parseParams(text string) *params {
	name, rest, _ := strings.Cut(text, ",")
	p := &params{name: name, values: make(map[string]string)}
	for item := range strings.SplitSeq(rest, ",") {
		if k, v, ok := strings.Cut(item, "_"); ok {
			p.values[k] = v
		} else if p.first == "" {
			p.first = item
		}
	}
	return p
}

// int reads a number between lo and hi; ok is false if it is not given.
func (p *params) int(name string, lo, hi int) (n int, ok bool, err error) {
	text := p.values[name]
	if name == "" {
		text = p.first
	}
	if text == "" {
		return 0, false, nil
	}
	n, err = strconv.Atoi(text)
	if err != nil || n < lo || n > hi {
		return 0, false, invalid("The value: %s of parameter: %s of %s is invalid.", text, name, p.name)
	}
	return n, true, nil
}

// need is int for a number that must be given.
func (p *params) need(name string, lo, hi int) (int, error) {
	n, ok, err := p.int(name, lo, hi)
	if err == nil && !ok {
		err = &Error{"MissingArgument", fmt.Sprintf("A parameter of %s is missing.", p.name)}
	}
	return n, err
}
