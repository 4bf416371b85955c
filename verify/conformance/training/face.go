package training

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"strings"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify"
)

// Face is an invented face. What a person keeps for years stands apart from what changes
// overnight: officers must look at the first.
type Face struct {
	// Kept.
	Shape, Brows, Nose, Mark int
	Female                   bool
	// Changing.
	Hair, Glasses, Shirt int
}

// The words for faces, by the numbers above.
var (
	shapes = []Text{{"mặt tròn", "a round face"}, {"mặt dài", "a long face"}, {"mặt vuông", "a square face"}}
	brows  = []Text{{"lông mày mảnh", "thin eyebrows"}, {"lông mày rậm", "thick eyebrows"}, {"lông mày xếch", "slanting eyebrows"}}
	noses  = []Text{{"mũi nhỏ", "a small nose"}, {"mũi to", "a large nose"}}
	marks  = []Text{{"không có nốt ruồi", "no mole"}, {"nốt ruồi má trái", "a mole on the left cheek"}, {"nốt ruồi má phải", "a mole on the right cheek"}, {"nốt ruồi ở cằm", "a mole on the chin"}}
	hairs  = []Text{{"tóc ngắn", "short hair"}, {"tóc dài", "long hair"}, {"tóc hoa râm", "greying hair"}}
	eyes   = []Text{{"không đeo kính", "no glasses"}, {"đeo kính", "glasses"}}
	shirts = []Text{{"áo trắng", "a white shirt"}, {"áo xanh", "a blue shirt"}, {"áo nâu", "a brown shirt"}}
)

// Words describes the face: what is kept first.
func (f Face) Words(l verify.Lang) string {
	var list []string
	for _, t := range []Text{shapes[f.Shape], brows[f.Brows], noses[f.Nose], marks[f.Mark], hairs[f.Hair], eyes[f.Glasses], shirts[f.Shirt]} {
		list = append(list, t.In(l))
	}
	return strings.Join(list, ", ")
}

func newFace(r *rand.Rand, female bool) Face {
	return Face{
		Shape: r.IntN(len(shapes)), Brows: r.IntN(len(brows)), Nose: r.IntN(len(noses)), Mark: r.IntN(len(marks)), Female: female,
		Hair: r.IntN(len(hairs)), Glasses: r.IntN(len(eyes)), Shirt: r.IntN(len(shirts)),
	}
}

// later is the same person on another day.
func (f Face) later(r *rand.Rand) Face {
	f.Hair, f.Glasses, f.Shirt = r.IntN(len(hairs)), r.IntN(len(eyes)), r.IntN(len(shirts))
	return f
}

// another is somebody like the person, as whoever borrows a card is: of what is kept, two
// things differ.
func (f Face) another(r *rand.Rand) Face {
	g := f.later(r)
	turn := func(v *int, n int) { *v = (*v + 1 + r.IntN(n-1)) % n }
	switch r.IntN(3) {
	case 0:
		turn(&g.Shape, len(shapes))
		turn(&g.Mark, len(marks))
	case 1:
		turn(&g.Brows, len(brows))
		turn(&g.Mark, len(marks))
	default:
		turn(&g.Shape, len(shapes))
		turn(&g.Nose, len(noses))
	}
	return g
}

// The size of a portrait in pixels.
const faceWidth, faceHeight = 180, 240

// JPEG draws the face, with the word SPECIMEN on it and in a comment of the file.
func (f Face) JPEG() []byte {
	img := image.NewRGBA(image.Rect(0, 0, faceWidth, faceHeight))
	for y := range faceHeight {
		for x := range faceWidth {
			img.SetRGBA(x, y, f.at(float64(x)/faceWidth*2-1, float64(y)/faceHeight*2-1))
		}
	}
	mark(img)
	var b bytes.Buffer
	_ = jpeg.Encode(&b, img, &jpeg.Options{Quality: 80}) // into memory
	comment := []byte("SPECIMEN: nobody's face")
	head := append([]byte{0xFF, 0xD8, 0xFF, 0xFE, 0, byte(len(comment) + 2)}, comment...)
	return append(head, b.Bytes()[2:]...)
}

// portrait is the face as DG2 has it.
func (f Face) portrait() lds.Face {
	return lds.Face{Image: f.JPEG(), Width: faceWidth, Height: faceHeight}
}

var (
	skin   = color.RGBA{224, 186, 150, 255}
	dark   = color.RGBA{38, 30, 28, 255}
	lips   = color.RGBA{176, 92, 84, 255}
	shade  = color.RGBA{196, 152, 118, 255}
	ground = color.RGBA{238, 241, 244, 255}
)

// at is the colour of a place, both coordinates from -1 to 1.
func (f Face) at(x, y float64) color.RGBA {
	wide := []float64{0.50, 0.40, 0.48}[f.Shape]
	high := []float64{0.46, 0.56, 0.48}[f.Shape]
	within := func(cx, cy, rx, ry float64) bool {
		dx, dy := (x-cx)/rx, (y-cy)/ry
		return dx*dx+dy*dy < 1
	}
	head := within(0, -0.05, wide, high)
	if f.Shape == 2 { // square: corners where an ellipse has none
		dx, dy := x/wide, (y+0.05)/high
		head = dx*dx*dx*dx+dy*dy*dy*dy < 1
	}
	if head {
		if c, ok := f.feature(x, y, within); ok {
			return c
		}
		if y < -0.05-high*0.62 {
			return f.hair()
		}
		return skin
	}
	switch {
	case y < 0.1 && within(0, -0.16, wide+0.09, high+0.06), f.Hair == 1 && y > -0.3 && y < 0.62 && (x < -wide*0.78 || x > wide*0.78) && x > -wide-0.12 && x < wide+0.12:
		return f.hair()
	case within(0, 0.55, 0.17, 0.25):
		return shade
	case within(0, 1.15, 0.85, 0.58):
		return []color.RGBA{{250, 250, 250, 255}, {44, 92, 160, 255}, {120, 84, 56, 255}}[f.Shirt]
	}
	return ground
}

func (f Face) hair() color.RGBA {
	if f.Hair == 2 {
		return color.RGBA{150, 148, 146, 255}
	}
	return dark
}

// feature is what lies on the skin.
func (f Face) feature(x, y float64, within func(cx, cy, rx, ry float64) bool) (color.RGBA, bool) {
	left := x < 0
	ax := x
	if left {
		ax = -x
	}
	slant := 0.0
	if f.Brows == 2 {
		slant = (ax - 0.2) * -0.4
	}
	thick := []float64{0.012, 0.032, 0.018}[f.Brows]
	noseWide, noseHigh := []float64{0.05, 0.09}[f.Nose], []float64{0.05, 0.08}[f.Nose]
	ring := func(r1, r2 float64) bool {
		dx, dy := (ax-0.2)/1, (y+0.14)*0.75
		d := dx*dx + dy*dy
		return d > r1*r1 && d < r2*r2
	}
	moles := [][2]float64{{9, 9}, {-0.3, 0.12}, {0.3, 0.12}, {0.08, 0.33}}
	switch {
	case within(moles[f.Mark][0], moles[f.Mark][1], 0.03, 0.024):
		return dark, true
	case f.Glasses == 1 && (ring(0.125, 0.15) || ax < 0.08 && y > -0.17 && y < -0.14):
		return dark, true
	case ax > 0.14 && ax < 0.26 && (y+0.14)*(y+0.14) < 0.0006:
		return dark, true
	case ax > 0.09 && ax < 0.31 && y > -0.27+slant-thick && y < -0.27+slant+thick:
		return dark, true
	case within(0, 0.08, noseWide, noseHigh):
		return shade, true
	case within(0, 0.24, 0.14, 0.028):
		return lips, true
	case f.Female && within(0, 0.255, 0.11, 0.035):
		return lips, true
	}
	return color.RGBA{}, false
}
