package picture

import (
	"image"
	"math"
)

// setFormat chooses what the result is written as.
func setFormat(w *work, p *params) error {
	switch p.first {
	case "jpg", "jpeg":
		w.format = "jpg"
	case "png", "gif":
		w.format = p.first
	default:
		return invalid("The format %s is not supported.", p.first)
	}
	return nil
}

// setQuality sets the quality of JPEG: Q as it says, q as a share, in percent,
// of what it is.
func setQuality(w *work, p *params) error {
	name := "q"
	if p.values["Q"] != "" {
		name = "Q"
	}
	n, err := p.need(name, 1, 100)
	if err == nil && name == "q" {
		n = max(w.quality*n/100, 1)
	}
	if err == nil {
		w.quality = n
	}
	return err
}

// circle keeps a circle in the middle, and its square.
func circle(w *work, p *params) error {
	r, err := p.need("r", 1, 4096)
	if err != nil {
		return err
	}
	size := w.img.Rect.Size()
	r = min(r, size.X/2, size.Y/2)
	if r < 1 {
		return nil
	}
	middle := image.Pt(size.X/2, size.Y/2)
	if err := w.cut(image.Rect(middle.X-r, middle.Y-r, middle.X+r, middle.Y+r)); err != nil {
		return err
	}
	w.round(r)
	return nil
}

// roundedCorners takes the corners off.
func roundedCorners(w *work, p *params) error {
	r, err := p.need("r", 1, 4096)
	if err == nil {
		w.round(min(r, w.img.Rect.Dx()/2, w.img.Rect.Dy()/2))
	}
	return err
}

// round makes what lies outside of corners of radius r transparent.
func (w *work) round(r int) {
	width, height := w.img.Rect.Dx(), w.img.Rect.Dy()
	for y := range height {
		for x := range width {
			dx := max(float64(r)-0.5-float64(x), float64(x)+0.5-float64(width-r), 0)
			dy := max(float64(r)-0.5-float64(y), float64(y)+0.5-float64(height-r), 0)
			if outside := math.Hypot(dx, dy) - float64(r); outside > 0 {
				i := w.img.PixOffset(x, y) + 3
				w.img.Pix[i] = uint8(float64(w.img.Pix[i]) * max(1-outside, 0))
			}
		}
	}
}

// eachColour changes all values of colours, by a table.
func (w *work) eachColour(f func(float64) float64) {
	var table [256]byte
	for i := range table {
		table[i] = uint8(min(max(f(float64(i)), 0), 255) + 0.5)
	}
	for i := range w.img.Pix {
		if i%4 != 3 {
			w.img.Pix[i] = table[w.img.Pix[i]]
		}
	}
}

func bright(w *work, p *params) error {
	n, err := p.need("", -100, 100)
	if err == nil {
		w.eachColour(func(v float64) float64 { return v + float64(n)*2.55/2 })
	}
	return err
}

func contrast(w *work, p *params) error {
	n, err := p.need("", -100, 100)
	if err == nil {
		w.eachColour(func(v float64) float64 { return (v-127.5)*(1+float64(n)/100) + 127.5 })
	}
	return err
}

// sharpen adds what differs from a blurred image.
func sharpen(w *work, p *params) error {
	n, err := p.need("", 50, 399)
	if err != nil {
		return err
	}
	before := w.img
	w.img = gauss(w.img, 2, 1)
	for i, soft := range w.img.Pix {
		v := float64(before.Pix[i])
		if i%4 != 3 {
			v += (v - float64(soft)) * float64(n) / 100
		}
		w.img.Pix[i] = uint8(min(max(v, 0), 255) + 0.5)
	}
	return nil
}

// blur is Gaussian: r is the radius and s the deviation, in pixels.
func blur(w *work, p *params) error {
	r, err := p.need("r", 1, 50)
	if err != nil {
		return err
	}
	s, err := p.need("s", 1, 50)
	if err != nil {
		return err
	}
	w.img = gauss(w.img, r, float64(s))
	return nil
}

// gauss blurs along the lines, and then along the columns.
func gauss(img *image.NRGBA, radius int, deviation float64) *image.NRGBA {
	weights := make([]float64, 2*radius+1)
	total := 0.0
	for i := range weights {
		d := float64(i-radius) / deviation
		weights[i] = math.Exp(-d * d / 2)
		total += weights[i]
	}
	width, height := img.Rect.Dx(), img.Rect.Dy()
	for _, along := range [2]int{4, img.Stride} {
		out := image.NewNRGBA(img.Rect)
		for y := range height {
			for x := range width {
				at, place, n := img.PixOffset(x, y), x, width
				if along != 4 {
					place, n = y, height
				}
				var sum [4]float64
				for i, weight := range weights {
					to := min(max(place+i-radius, 0), n-1) - place
					for c := range sum {
						sum[c] += weight * float64(img.Pix[at+to*along+c])
					}
				}
				for c := range sum {
					out.Pix[at+c] = uint8(sum[c]/total + 0.5)
				}
			}
		}
		img = out
	}
	return img
}

// autoOrient turns the image as the camera has noted, if asked by 1.
func autoOrient(w *work, p *params) error {
	n, err := p.need("", 0, 1)
	if err != nil || n == 0 || w.rotated {
		return err
	}
	w.rotated = true
	o := orientation(w.source)
	if o == 2 || o == 4 || o == 5 || o == 7 {
		if err := w.mirror(o != 4); err != nil {
			return err
		}
	}
	switch o {
	case 3:
		return w.turn(180)
	case 6, 7:
		return w.turn(90)
	case 5, 8:
		return w.turn(270)
	}
	return nil
}
