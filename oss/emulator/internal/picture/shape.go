package picture

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strconv"
)

// newImage makes room for a result.
func newImage(w, h int) (*image.NRGBA, error) {
	if w < 1 || h < 1 || w > maxSide || h > maxSide || w > maxPixels/h {
		return nil, invalid("The result of %d x %d pixels is not possible.", w, h)
	}
	return image.NewNRGBA(image.Rect(0, 0, w, h)), nil
}

// resize scales: to a share of p percent, or to w and h or the longer and the
// shorter side l and s, by the mode m. It enlarges only if limit is 0.
func resize(w *work, p *params) error {
	have := w.img.Rect.Size()
	share, ok, err := p.int("p", 1, 1000)
	if err != nil {
		return err
	}
	if ok {
		return w.scale(scaled(have.X, float64(share)/100), scaled(have.Y, float64(share)/100))
	}
	var want image.Point
	names := [2]string{"w", "h"}
	if p.values["l"] != "" || p.values["s"] != "" {
		if names = [2]string{"l", "s"}; have.X < have.Y {
			names = [2]string{"s", "l"}
		}
	}
	for i, to := range []*int{&want.X, &want.Y} {
		if *to, _, err = p.int(names[i], 1, maxSide); err != nil {
			return err
		}
	}
	limit, given, err := p.int("limit", 0, 1)
	if err != nil {
		return err
	}
	if want == (image.Point{}) {
		return &Error{"MissingArgument", "A parameter of resize is missing."}
	}
	return w.fit(want, p.values["m"], p.values["color"], limit == 1 || !given)
}

// fit scales to want, of which one side may be 0, as a mode says.
func (w *work) fit(want image.Point, mode, colour string, limited bool) error {
	have := w.img.Rect.Size()
	byX, byY := float64(want.X)/float64(have.X), float64(want.Y)/float64(have.Y)
	least, most := min(byX, byY), max(byX, byY)
	if want.X == 0 || want.Y == 0 {
		least = most
		if mode == "fill" || mode == "pad" || mode == "fixed" {
			mode = "lfit"
		}
	}
	factor := least
	switch mode {
	case "", "lfit", "pad":
	case "mfit", "fill":
		factor = most
	case "fixed":
		if limited && (byX > 1 || byY > 1) {
			return nil
		}
		return w.scale(want.X, want.Y)
	default:
		return invalid("The value: %s of parameter: m of resize is invalid.", mode)
	}
	if limited && factor > 1 {
		return nil
	}
	if err := w.scale(scaled(have.X, factor), scaled(have.Y, factor)); err != nil {
		return err
	}
	size := w.img.Rect.Size()
	switch mode {
	case "fill":
		return w.cut(image.Rectangle{Max: want}.Add(size.Sub(want).Div(2)))
	case "pad":
		back, err := parseColour(colour)
		if err != nil {
			return err
		}
		out, err := newImage(want.X, want.Y)
		if err != nil {
			return err
		}
		draw.Draw(out, out.Rect, image.NewUniform(back), image.Point{}, draw.Src)
		draw.Draw(out, w.img.Rect.Add(want.Sub(size).Div(2)), w.img, image.Point{}, draw.Over)
		w.img = out
	}
	return nil
}

func scaled(n int, by float64) int { return max(int(float64(n)*by+0.5), 1) }

// parseColour reads RRGGBB; "" is white.
func parseColour(s string) (color.Color, error) {
	if s == "" {
		return color.White, nil
	}
	n, err := strconv.ParseUint(s, 16, 24)
	if err != nil || len(s) != 6 {
		return nil, invalid("The value: %s of parameter: color of resize is invalid.", s)
	}
	return color.NRGBA{uint8(n >> 16), uint8(n >> 8), uint8(n), 255}, nil
}

// scale makes the image width x height: each pixel is the mean of what it
// covers, or lies between its neighbours if the image grows.
func (w *work) scale(width, height int) error {
	if width == w.img.Rect.Dx() && height == w.img.Rect.Dy() {
		return nil
	}
	half, err := newImage(width, w.img.Rect.Dy())
	if err != nil {
		return err
	}
	out, err := newImage(width, height)
	if err != nil {
		return err
	}
	have := w.img.Rect.Size()
	scaleLines(lines{half.Pix, 4, half.Stride}, lines{w.img.Pix, 4, w.img.Stride}, width, have.X, have.Y)
	scaleLines(lines{out.Pix, out.Stride, 4}, lines{half.Pix, half.Stride, 4}, height, have.Y, width)
	w.img = out
	return nil
}

// lines are pixels in memory, of a line step bytes apart, each line next bytes
// behind the one before. Columns are lines too.
type lines struct {
	pix        []byte
	step, next int
}

// scaleLines scales lines of n pixels to lines of m pixels.
func scaleLines(dst, src lines, m, n, count int) {
	ratio := float64(n) / float64(m)
	for x := range m {
		taps := tapsOf(x, n, ratio)
		for y := range count {
			var sum [4]float64
			for _, t := range taps {
				px := src.pix[y*src.next+t.at*src.step:]
				alpha := t.weight * float64(px[3]) / 255
				for c := range 3 {
					sum[c] += alpha * float64(px[c])
				}
				sum[3] += alpha
			}
			d := dst.pix[y*dst.next+x*dst.step:]
			if sum[3] == 0 {
				continue
			}
			for c := range 3 {
				d[c] = uint8(min(sum[c]/sum[3]+0.5, 255))
			}
			d[3] = uint8(min(sum[3]*255+0.5, 255))
		}
	}
}

// tap is a pixel's share in another.
type tap struct {
	at     int
	weight float64
}

// tapsOf gives the pixels, of n, that pixel x of the result is made of, of
// which each covers ratio of them.
func tapsOf(x, n int, ratio float64) []tap {
	if ratio <= 1 {
		at := (float64(x)+0.5)*ratio - 0.5
		low := int(math.Floor(at))
		part := at - float64(low)
		return []tap{{max(low, 0), 1 - part}, {min(low+1, n-1), part}}
	}
	from, to := float64(x)*ratio, float64(x+1)*ratio
	var taps []tap
	for i := int(from); i < n && float64(i) < to; i++ {
		share := min(to, float64(i+1)) - max(from, float64(i))
		taps = append(taps, tap{i, share / ratio})
	}
	return taps
}

// cut keeps a part of the image.
func (w *work) cut(r image.Rectangle) error {
	r = r.Intersect(w.img.Rect)
	out, err := newImage(r.Dx(), r.Dy())
	if err != nil {
		return err
	}
	draw.Draw(out, out.Rect, w.img, r.Min, draw.Src)
	w.img = out
	return nil
}

// corners are the values of g: where x and y count from, in halves of what is
// left beside the part.
var corners = map[string]image.Point{
	"nw": {0, 0}, "north": {1, 0}, "ne": {2, 0}, "west": {0, 1}, "center": {1, 1}, "east": {2, 1}, "sw": {0, 2}, "south": {1, 2}, "se": {2, 2},
}

// crop keeps w x h pixels from x, y on, counted from the corner g.
func crop(w *work, p *params) error {
	have := w.img.Rect.Size()
	var at image.Point
	size := have
	for name, to := range map[string]*int{"x": &at.X, "y": &at.Y, "w": &size.X, "h": &size.Y} {
		n, ok, err := p.int(name, 0, math.MaxInt32)
		if err != nil {
			return err
		}
		if ok && (n > 0 || name == "x" || name == "y") {
			*to = n
		}
	}
	corner := image.Point{}
	if g := p.values["g"]; g != "" {
		var ok bool
		if corner, ok = corners[g]; !ok {
			return invalid("The value: %s of parameter: g of crop is invalid.", g)
		}
	}
	size.X, size.Y = min(size.X, have.X), min(size.Y, have.Y)
	at.X += (have.X - size.X) * corner.X / 2
	at.Y += (have.Y - size.Y) * corner.Y / 2
	if at.X >= have.X || at.Y >= have.Y {
		return invalid("advance cut's position is out of image.")
	}
	return w.cut(image.Rectangle{Min: at, Max: at.Add(size)})
}

// indexCrop keeps the slice i of slices of x, or y, pixels; the whole image if
// there is no such slice.
func indexCrop(w *work, p *params) error {
	name := "x"
	if p.values["y"] != "" {
		name = "y"
	}
	n, err := p.need(name, 1, math.MaxInt32)
	if err != nil {
		return err
	}
	i, _, err := p.int("i", 0, maxSide)
	if err != nil {
		return err
	}
	r := w.img.Rect
	if name == "x" {
		r.Min.X, r.Max.X = i*n, i*n+n
	} else {
		r.Min.Y, r.Max.Y = i*n, i*n+n
	}
	if r.Intersect(w.img.Rect).Empty() {
		return nil
	}
	return w.cut(r)
}

// remap makes an image of width x height out of the pixels that at names.
func (w *work) remap(width, height int, at func(x, y int) (int, int)) error {
	out, err := newImage(width, height)
	if err != nil {
		return err
	}
	for y := range height {
		for x := range width {
			if sx, sy := at(x, y); image.Pt(sx, sy).In(w.img.Rect) {
				copy(out.Pix[out.PixOffset(x, y):], w.img.Pix[w.img.PixOffset(sx, sy):][:4])
			}
		}
	}
	w.img = out
	return nil
}

// rotate turns clockwise by some degrees. What is not covered is transparent.
func rotate(w *work, p *params) error {
	degrees, err := p.need("", 0, 360)
	if err != nil {
		return err
	}
	return w.turn(degrees)
}

func (w *work) turn(degrees int) error {
	width, height := w.img.Rect.Dx(), w.img.Rect.Dy()
	switch degrees {
	case 0, 360:
		return nil
	case 90:
		return w.remap(height, width, func(x, y int) (int, int) { return y, height - 1 - x })
	case 180:
		return w.remap(width, height, func(x, y int) (int, int) { return width - 1 - x, height - 1 - y })
	case 270:
		return w.remap(height, width, func(x, y int) (int, int) { return width - 1 - y, x })
	}
	sin, cos := math.Sincos(float64(degrees) * math.Pi / 180)
	fw, fh := float64(width), float64(height)
	ow := int(math.Ceil(math.Abs(fw*cos) + math.Abs(fh*sin)))
	oh := int(math.Ceil(math.Abs(fw*sin) + math.Abs(fh*cos)))
	return w.remap(ow, oh, func(x, y int) (int, int) {
		dx, dy := float64(x)+0.5-float64(ow)/2, float64(y)+0.5-float64(oh)/2
		return int(math.Floor(dx*cos + dy*sin + fw/2)), int(math.Floor(dy*cos - dx*sin + fh/2))
	})
}

// flip mirrors: h from left to right, v from top to bottom.
func flip(w *work, p *params) error {
	switch p.first {
	case "h":
		return w.mirror(true)
	case "v":
		return w.mirror(false)
	}
	return invalid("The value: %s of parameter: of flip is invalid.", p.first)
}

func (w *work) mirror(leftRight bool) error {
	width, height := w.img.Rect.Dx(), w.img.Rect.Dy()
	return w.remap(width, height, func(x, y int) (int, int) {
		if leftRight {
			return width - 1 - x, y
		}
		return x, height - 1 - y
	})
}
