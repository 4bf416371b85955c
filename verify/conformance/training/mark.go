package training

import (
	"image"
	"image/color"
)

// letters are those of the word that stands on every picture, five columns and seven rows each.
var letters = map[rune][7]string{
	'S': {".###.", "#...#", "#....", ".###.", "....#", "#...#", ".###."},
	'P': {"####.", "#...#", "#...#", "####.", "#....", "#....", "#...."},
	'E': {"#####", "#....", "#....", "####.", "#....", "#....", "#####"},
	'C': {".###.", "#...#", "#....", "#....", "#....", "#...#", ".###."},
	'I': {"#####", "..#..", "..#..", "..#..", "..#..", "..#..", "#####"},
	'M': {"#...#", "##.##", "#.#.#", "#.#.#", "#...#", "#...#", "#...#"},
	'N': {"#...#", "##..#", "##..#", "#.#.#", "#..##", "#..##", "#...#"},
}

// mark writes SPECIMEN at the foot of a picture.
func mark(img *image.RGBA) {
	const scale, word = 3, "SPECIMEN"
	ink := color.RGBA{0x66, 0x39, 0xBA, 255}
	left, top := (img.Rect.Dx()-len(word)*6*scale)/2, img.Rect.Dy()-8*scale
	for n, r := range word {
		for y, row := range letters[r] {
			for x, dot := range row {
				if dot != '#' {
					continue
				}
				for i := range scale * scale {
					img.SetRGBA(left+(n*6+x)*scale+i%scale, top+y*scale+i/scale, ink)
				}
			}
		}
	}
}
