package picture_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strconv"
	"strings"
	"testing"

	"github.com/osssync/osssync/oss/emulator/internal/picture"
)

// quarters is an image of w x h pixels: red, green, blue and white from the
// upper left corner on.
func quarters(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	colours := [4]color.NRGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 255, 255, 255}}
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, colours[2*y/h*2+2*x/w])
		}
	}
	return img
}

func encode(t testing.TB, img image.Image, format string) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	switch format {
	case "png":
		err = png.Encode(&b, img)
	case "gif":
		err = gif.Encode(&b, img, nil)
	default:
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: 95})
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// letters names the colours of the corners: r, g, b, w, another or - for none.
func letters(img image.Image) string {
	r := img.Bounds()
	out := ""
	for _, p := range []image.Point{r.Min, {r.Max.X - 1, r.Min.Y}, {r.Min.X, r.Max.Y - 1}, {r.Max.X - 1, r.Max.Y - 1}} {
		c := color.NRGBAModel.Convert(img.At(p.X, p.Y)).(color.NRGBA)
		high := func(v uint8) int { return int(v) / 128 }
		switch [4]int{high(c.R), high(c.G), high(c.B), high(c.A)} {
		case [4]int{1, 0, 0, 1}:
			out += "r"
		case [4]int{0, 1, 0, 1}:
			out += "g"
		case [4]int{0, 0, 1, 1}:
			out += "b"
		case [4]int{1, 1, 1, 1}:
			out += "w"
		default:
			if out += "?"; c.A < 128 {
				out = out[:len(out)-1] + "-"
			}
		}
	}
	return out
}

func TestOperations(t *testing.T) {
	source := encode(t, quarters(80, 40), "png")
	for _, test := range []struct {
		operations    string
		width, height int
		corners       string
		format        string
	}{
		{"resize,w_40", 40, 20, "rgbw", "png"},
		{"resize,h_10", 20, 10, "rgbw", "png"},
		{"resize,w_40,h_10", 20, 10, "rgbw", "png"},
		{"resize,m_lfit,w_20,h_40", 20, 10, "rgbw", "png"},
		{"resize,m_mfit,w_20,h_20", 40, 20, "rgbw", "png"},
		{"resize,m_fill,w_20,h_20", 20, 20, "rgbw", "png"},
		{"resize,m_pad,w_40,h_40,color_00FF00", 40, 40, "gggg", "png"},
		{"resize,m_fixed,w_40,h_40", 40, 40, "rgbw", "png"},
		{"resize,l_20", 20, 10, "rgbw", "png"},
		{"resize,s_20", 40, 20, "rgbw", "png"},
		{"resize,p_25", 20, 10, "rgbw", "png"},
		{"resize,p_200", 160, 80, "rgbw", "png"},
		{"resize,w_160", 80, 40, "rgbw", "png"},
		{"resize,w_160,limit_0", 160, 80, "rgbw", "png"},
		{"resize,m_fixed,w_160,h_10", 80, 40, "rgbw", "png"},
		{"resize,w_1,h_1", 1, 1, "????", "png"},
		{"crop,w_30,h_15", 30, 15, "rrrr", "png"},
		{"crop,w_30,h_15,g_se", 30, 15, "wwww", "png"},
		{"crop,w_20,h_10,g_center", 20, 10, "rgbw", "png"},
		{"crop,x_50,y_30", 30, 10, "wwww", "png"},
		{"crop,x_70,w_100,h_100,r_1,g_nw", 10, 40, "ggww", "png"},
		{"indexcrop,x_40,i_1", 40, 40, "ggww", "png"},
		{"indexcrop,y_20,i_0", 80, 20, "rgrg", "png"},
		{"indexcrop,y_20,i_9", 80, 40, "rgbw", "png"},
		{"rotate,0", 80, 40, "rgbw", "png"},
		{"rotate,90", 40, 80, "brwg", "png"},
		{"rotate,180", 80, 40, "wbgr", "png"},
		{"rotate,270", 40, 80, "gwrb", "png"},
		{"rotate,45", 85, 85, "----", "png"},
		{"rotate,45/format,jpg", 85, 85, "wwww", "jpeg"},
		{"flip,h", 80, 40, "grwb", "png"},
		{"flip,v", 80, 40, "bwrg", "png"},
		{"circle,r_10", 20, 20, "----", "png"},
		{"circle,r_1000", 40, 40, "----", "png"},
		{"rounded-corners,r_10", 80, 40, "----", "png"},
		{"format,jpg", 80, 40, "rgbw", "jpeg"},
		{"format,gif", 80, 40, "rgbw", "gif"},
		{"quality,Q_10/format,jpeg", 80, 40, "rgbw", "jpeg"},
		{"resize,w_40/rotate,90/", 20, 40, "brwg", "png"},
		{"auto-orient,1", 80, 40, "rgbw", "png"},
		{"bright,100", 80, 40, "", "png"},
		{"contrast,50", 80, 40, "rgbw", "png"},
		{"sharpen,100", 80, 40, "rgbw", "png"},
		{"blur,r_3,s_2", 80, 40, "rgbw", "png"},
	} {
		res, err := picture.Process(source, test.operations)
		if err != nil {
			t.Errorf("%s: %v", test.operations, err)
			continue
		}
		img, format, err := image.Decode(bytes.NewReader(res.Data))
		if err != nil || format != test.format || res.Type != "image/"+test.format {
			t.Errorf("%s: %s, %s, %v", test.operations, format, res.Type, err)
			continue
		}
		if s := img.Bounds().Size(); s != image.Pt(test.width, test.height) || test.corners != "" && letters(img) != test.corners {
			t.Errorf("%s: %v, %s", test.operations, s, letters(img))
		}
	}
}

// TestResizeMeans: what becomes one pixel is its mean, by its opacity.
func TestResizeMeans(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 2, 2))
	img.SetNRGBA(0, 0, color.NRGBA{200, 0, 0, 255})
	img.SetNRGBA(1, 0, color.NRGBA{100, 0, 0, 255})
	res, err := picture.Process(encode(t, img, "png"), "resize,w_1")
	if err != nil {
		t.Fatal(err)
	}
	out, err := png.Decode(bytes.NewReader(res.Data))
	if err != nil {
		t.Fatal(err)
	}
	if c := color.NRGBAModel.Convert(out.At(0, 0)); c != (color.NRGBA{150, 0, 0, 128}) {
		t.Error(c)
	}
}

func TestInfo(t *testing.T) {
	for _, format := range []string{"jpg", "png", "gif"} {
		data := encode(t, quarters(80, 40), format)
		res, err := picture.Process(data, "info")
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]struct{ Value string }
		if err := json.Unmarshal(res.Data, &got); err != nil || res.Type != "application/json" || got["Format"].Value != format ||
			got["ImageWidth"].Value != "80" || got["ImageHeight"].Value != "40" || got["FileSize"].Value != strconv.Itoa(len(data)) {
			t.Errorf("%s, %v", res.Data, err)
		}
		if res, err := picture.Process(data, "average-hue"); err != nil || format != "jpg" && string(res.Data) != `{"RGB": "0x7f7f7f"}` {
			t.Errorf("%v, %v", res, err)
		}
	}
}

// TestQuality: JPEG keeps its quality, unless told otherwise.
func TestQuality(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 200, 200))
	for i := range img.Pix {
		img.Pix[i] = byte(i*i>>7) | 1
	}
	source := encode(t, img, "jpg")
	size := func(operations string) int {
		t.Helper()
		res, err := picture.Process(source, operations)
		if err != nil {
			t.Fatal(err)
		}
		return len(res.Data)
	}
	same, half, absolute := size("rotate,0"), size("quality,q_50"), size("quality,Q_47")
	if d := same - len(source); d < -len(source)/20 || d > len(source)/20 || half != absolute || half > same/2 {
		t.Errorf("source %d, same %d, half %d, as said %d", len(source), same, half, absolute)
	}
}

// TestAutoOrient has the corners of an image that was taken with the camera
// held in each of the eight ways.
func TestAutoOrient(t *testing.T) {
	source := encode(t, quarters(80, 40), "jpg")
	for o, want := range map[int]string{0: "rgbw", 1: "rgbw", 2: "grwb", 3: "wbgr", 4: "bwrg", 5: "rbgw", 6: "brwg", 7: "wgbr", 8: "gwrb", 9: "rgbw"} {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			exif := append([]byte("Exif\x00\x00"), "MM\x00*"...)
			if order == binary.LittleEndian {
				exif = append([]byte("Exif\x00\x00"), "II*\x00"...)
			}
			exif = order.AppendUint32(exif, 8)
			exif = order.AppendUint16(exif, 1)
			exif = order.AppendUint16(exif, 0x112)
			exif = order.AppendUint16(exif, 3)
			exif = order.AppendUint32(exif, 1)
			exif = order.AppendUint16(exif, uint16(o))
			exif = append(exif, 0, 0)
			data := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(exif)+2))...)
			data = append(append(data, exif...), source[2:]...)
			res, err := picture.Process(data, "auto-orient,1")
			if err != nil {
				t.Fatal(err)
			}
			img, err := jpeg.Decode(bytes.NewReader(res.Data))
			if err != nil || letters(img) != want || (img.Bounds().Dx() == 40) != (o >= 5 && o <= 8) {
				t.Errorf("orientation %d: %s, %v, %v", o, letters(img), img.Bounds(), err)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	source := encode(t, quarters(8, 4), "png")
	for operations, want := range map[string]string{
		"": "InvalidArgument", "nosuch": "InvalidArgument", "watermark,text_YQ": "InvalidArgument", "resize": "MissingArgument", "resize,w_0": "InvalidArgument",
		"resize,w_x": "InvalidArgument", "resize,w_99999": "InvalidArgument", "resize,w_1,m_x": "InvalidArgument", "resize,w_1,limit_2": "InvalidArgument",
		"resize,m_pad,w_2,h_2,color_x": "InvalidArgument", "resize,w_16000,h_16000,limit_0,m_fixed": "InvalidArgument", "crop,x_8": "InvalidArgument",
		"crop,w_-1": "InvalidArgument", "crop,w_1,g_x": "InvalidArgument", "indexcrop": "MissingArgument", "rotate": "MissingArgument", "rotate,361": "InvalidArgument",
		"flip,x": "InvalidArgument", "format": "InvalidArgument", "format,webp": "InvalidArgument", "quality,q_0": "InvalidArgument", "quality": "MissingArgument",
		"circle": "MissingArgument", "blur,r_51,s_1": "InvalidArgument", "blur,r_1": "MissingArgument", "sharpen,1": "InvalidArgument", "auto-orient,2": "InvalidArgument",
		"average-hue/info": "InvalidArgument", "resize,w_1/info": "InvalidArgument", strings.Repeat("rotate,90/", 50): "InvalidArgument",
	} {
		_, err := picture.Process(source, operations)
		if e, ok := errors.AsType[*picture.Error](err); !ok || e.Code != want {
			t.Errorf("%s: %v", operations, err)
		}
	}
	for name, test := range map[string]struct {
		data []byte
		code string
	}{
		"no image": {[]byte("text"), "InvalidArgument"}, "empty": {nil, "InvalidArgument"}, "half": {source[:len(source)/2], "InvalidArgument"},
		"large": {huge(60_000, 60_000), "ImageTooLarge"}, "long": {make([]byte, picture.MaxSource+1), "ImageTooLarge"},
	} {
		_, err := picture.Process(test.data, "rotate,90")
		if e, ok := errors.AsType[*picture.Error](err); !ok || e.Code != test.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// huge is the head of a PNG of w x h pixels.
func huge(w, h uint32) []byte {
	head := binary.BigEndian.AppendUint32([]byte("IHDR"), w)
	head = append(binary.BigEndian.AppendUint32(head, h), 8, 6, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
}

// TestAnimation: the rest of an animation is not even decoded.
func TestAnimation(t *testing.T) {
	frame := image.NewPaletted(image.Rect(0, 0, 8, 4), color.Palette{color.Black, color.White})
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{1, 1}}); err != nil {
		t.Fatal(err)
	}
	res, err := picture.Process(b.Bytes(), "resize,w_4")
	if err != nil {
		t.Fatal(err)
	}
	if all, err := gif.DecodeAll(bytes.NewReader(res.Data)); err != nil || len(all.Image) != 1 || all.Image[0].Rect.Dx() != 4 {
		t.Error(all, err)
	}
}

// FuzzProcess looks for panics, and for images that cannot be read again.
func FuzzProcess(f *testing.F) {
	for _, format := range []string{"png", "jpg", "gif"} {
		f.Add(encode(f, quarters(12, 7), format), "resize,m_fill,w_5,h_5/rotate,30/crop,w_3,g_center/format,jpg")
	}
	f.Add(huge(3, 3), "info")
	f.Add(encode(f, quarters(5, 9), "png"), "circle,r_2/blur,r_1,s_1/sharpen,60/indexcrop,x_1/auto-orient,1/quality,q_1/average-hue")
	f.Fuzz(func(t *testing.T, data []byte, operations string) {
		if cfg, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && cfg.Width*cfg.Height > 10_000 {
			return // memory, not correctness
		}
		if strings.Contains(operations, "limit") || strings.Contains(operations, "p_") || strings.Contains(operations, "pad") {
			return // large results
		}
		res, err := picture.Process(data, operations)
		if err != nil || !strings.HasPrefix(res.Type, "image/") {
			return
		}
		if _, _, err := image.Decode(bytes.NewReader(res.Data)); err != nil {
			t.Fatalf("%s: %v", operations, err)
		}
	})
}
