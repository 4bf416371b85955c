package vn

import "time"

// Reform2025 is when 34 provinces took the place of 63 (Decision 19/2025/QĐ-TTg). Numbers
// given before keep their codes, some of which name another province since.
var Reform2025 = time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)

// provinces are the names by code: until the reform, and since; "" where a code was given
// up.
var provinces = map[string][2]string{
	"001": {"Hà Nội", "Hà Nội"},
	"002": {"Hà Giang", ""},
	"004": {"Cao Bằng", "Cao Bằng"},
	"006": {"Bắc Kạn", ""},
	"008": {"Tuyên Quang", "Tuyên Quang"},
	"010": {"Lào Cai", ""},
	"011": {"Điện Biên", "Điện Biên"},
	"012": {"Lai Châu", "Lai Châu"},
	"014": {"Sơn La", "Sơn La"},
	"015": {"Yên Bái", "Lào Cai"},
	"017": {"Hòa Bình", ""},
	"019": {"Thái Nguyên", "Thái Nguyên"},
	"020": {"Lạng Sơn", "Lạng Sơn"},
	"022": {"Quảng Ninh", "Quảng Ninh"},
	"024": {"Bắc Giang", "Bắc Ninh"},
	"025": {"Phú Thọ", "Phú Thọ"},
	"026": {"Vĩnh Phúc", ""},
	"027": {"Bắc Ninh", ""},
	"030": {"Hải Dương", ""},
	"031": {"Hải Phòng", "Hải Phòng"},
	"033": {"Hưng Yên", "Hưng Yên"},
	"034": {"Thái Bình", ""},
	"035": {"Hà Nam", ""},
	"036": {"Nam Định", ""},
	"037": {"Ninh Bình", "Ninh Bình"},
	"038": {"Thanh Hóa", "Thanh Hóa"},
	"040": {"Nghệ An", "Nghệ An"},
	"042": {"Hà Tĩnh", "Hà Tĩnh"},
	"044": {"Quảng Bình", "Quảng Trị"},
	"045": {"Quảng Trị", ""},
	"046": {"Thừa Thiên Huế", "Huế"},
	"048": {"Đà Nẵng", "Đà Nẵng"},
	"049": {"Quảng Nam", ""},
	"051": {"Quảng Ngãi", "Quảng Ngãi"},
	"052": {"Bình Định", "Gia Lai"},
	"054": {"Phú Yên", ""},
	"056": {"Khánh Hòa", "Khánh Hòa"},
	"058": {"Ninh Thuận", ""},
	"060": {"Bình Thuận", ""},
	"062": {"Kon Tum", ""},
	"064": {"Gia Lai", ""},
	"066": {"Đắk Lắk", "Đắk Lắk"},
	"067": {"Đắk Nông", ""},
	"068": {"Lâm Đồng", "Lâm Đồng"},
	"070": {"Bình Phước", ""},
	"072": {"Tây Ninh", ""},
	"074": {"Bình Dương", ""},
	"075": {"Đồng Nai", "Đồng Nai"},
	"077": {"Bà Rịa - Vũng Tàu", ""},
	"079": {"Hồ Chí Minh", "Hồ Chí Minh"},
	"080": {"Long An", "Tây Ninh"},
	"082": {"Tiền Giang", "Đồng Tháp"},
	"083": {"Bến Tre", ""},
	"084": {"Trà Vinh", ""},
	"086": {"Vĩnh Long", "Vĩnh Long"},
	"087": {"Đồng Tháp", ""},
	"089": {"An Giang", ""},
	"091": {"Kiên Giang", "An Giang"},
	"092": {"Cần Thơ", "Cần Thơ"},
	"093": {"Hậu Giang", ""},
	"094": {"Sóc Trăng", ""},
	"095": {"Bạc Liêu", ""},
	"096": {"Cà Mau", "Cà Mau"},
}

// Province is the province where the birth was registered on that day, by the codes of
// then; "" where the code named none, as those of specimens, 003, never did. Who knows only
// the day of birth takes that.
func (n Number) Province(registered time.Time) string {
	if !n.Valid() {
		return ""
	}
	names := provinces[string(n[:3])]
	if DateOf(registered).first().Before(Reform2025) {
		return names[0]
	}
	return names[1]
}

// Abroad reports whether the birth was registered abroad: codes 101 to 295 are countries
// (Circular 07/2016).
func (n Number) Abroad() bool { return n.Valid() && n[:3] >= "101" && n[:3] <= "295" }

// mergers are the provinces that became part of another in the reform of 2025.
var mergers = map[string]string{
	"Hà Giang": "Tuyên Quang", "Yên Bái": "Lào Cai", "Bắc Kạn": "Thái Nguyên", "Vĩnh Phúc": "Phú Thọ", "Hòa Bình": "Phú Thọ",
	"Bắc Giang": "Bắc Ninh", "Thái Bình": "Hưng Yên", "Hải Dương": "Hải Phòng", "Hà Nam": "Ninh Bình", "Nam Định": "Ninh Bình",
	"Quảng Bình": "Quảng Trị", "Quảng Nam": "Đà Nẵng", "Kon Tum": "Quảng Ngãi", "Bình Định": "Gia Lai", "Ninh Thuận": "Khánh Hòa",
	"Đắk Nông": "Lâm Đồng", "Bình Thuận": "Lâm Đồng", "Phú Yên": "Đắk Lắk", "Bình Dương": "Hồ Chí Minh",
	"Bà Rịa - Vũng Tàu": "Hồ Chí Minh", "Bình Phước": "Đồng Nai", "Long An": "Tây Ninh", "Sóc Trăng": "Cần Thơ",
	"Hậu Giang": "Cần Thơ", "Bến Tre": "Vĩnh Long", "Trà Vinh": "Vĩnh Long", "Tiền Giang": "Đồng Tháp", "Bạc Liêu": "Cà Mau",
	"Kiên Giang": "An Giang", "Thừa Thiên Huế": "Huế",
}

// ProvinceNames are the province that a code of two digits meant until July 2025, and the
// one that it means since; "" where it meant none.
func ProvinceNames(code string) (before, since string) {
	if len(code) != 2 {
		return "", ""
	}
	names := provinces["0"+code]
	return names[0], names[1]
}

// ProvinceToday is the province that a place belongs to since July 2025 that belonged, or
// belongs, to the province of that name; "" if there was none. Names are compared without
// regard to case and place of the tone.
func ProvinceToday(name string) string {
	key := MatchKey(name)
	for old, today := range mergers {
		if MatchKey(old) == key {
			return today
		}
	}
	for _, names := range provinces {
		if names[1] != "" && MatchKey(names[1]) == key {
			return names[1]
		}
	}
	return ""
}
