package synthetic

// The parts that citizens are made of. Names are common ones; streets and wards are invented.
var surnames = []string{
	"Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô",
	"Dương", "Lý", "Đinh", "Trịnh", "Tạ", "Thạch", "Sơn", "Quách",
}

var middlesM = []string{
	"Văn", "Đức", "Hữu", "Quang", "Minh", "Công", "Xuân", "Thế", "Đình", "Ngọc",
}

var middlesF = []string{
	"Thị", "Ngọc", "Thu", "Thanh", "Kim", "Diệu", "Mỹ", "Hồng", "Bích", "Thúy",
}

var givensM = []string{
	"Hòa", "Khoa", "Thụy", "Dũng", "Toàn", "Hùng", "Tuấn", "Đạt", "Khánh", "Quý", "Nghĩa", "Thịnh", "Hưng",
	"Lộc", "Vượng", "Sỹ", "Đông", "Trường",
}

var givensF = []string{
	"Hoa", "Thúy", "Loan", "Hằng", "Thủy", "Yến", "Trang", "Ngân", "Phượng", "Hiền", "Uyên", "Quỳnh", "Đào",
	"Huệ", "Oanh", "Hoài", "Lụa", "Nhường",
}

var streets = []string{
	"Thử Nghiệm", "Ví Dụ", "Mẫu", "Giả Định", "Hư Cấu", "Không Có Thật", "Thí Điểm", "Minh Họa",
}

var wards = []string{
	"Phường Thử Nghiệm", "Phường Mẫu", "Xã Ví Dụ", "Xã Hư Cấu", "Phường Giả Định", "Xã Minh Họa", "Xã Thí Điểm",
	"Đặc khu Mẫu",
}

var peoples = []string{
	"Tày", "Thái", "Mường", "HMông", "Khơ-me", "Ê-đê", "Chăm", "Bru-Vân Kiều", "Gia-rai", "Dao",
}

// provinces are some of those that kept name and code in July 2025.
var provinces = []struct{ name, code string }{
	{"Hà Nội", "01"},
	{"Cao Bằng", "04"},
	{"Tuyên Quang", "08"},
	{"Điện Biên", "11"},
	{"Lai Châu", "12"},
	{"Sơn La", "14"},
	{"Thái Nguyên", "19"},
	{"Lạng Sơn", "20"},
	{"Quảng Ninh", "22"},
	{"Phú Thọ", "25"},
	{"Hải Phòng", "31"},
	{"Hưng Yên", "33"},
	{"Ninh Bình", "37"},
	{"Thanh Hóa", "38"},
	{"Nghệ An", "40"},
	{"Hà Tĩnh", "42"},
	{"Đà Nẵng", "48"},
	{"Quảng Ngãi", "51"},
	{"Khánh Hòa", "56"},
	{"Đắk Lắk", "66"},
	{"Lâm Đồng", "68"},
	{"Đồng Nai", "75"},
	{"Hồ Chí Minh", "79"},
	{"Vĩnh Long", "86"},
	{"Cần Thơ", "92"},
	{"Cà Mau", "96"},
}

// cities are the provinces that are called so.
const cities = "Hà Nội, Hải Phòng, Đà Nẵng, Hồ Chí Minh, Cần Thơ"
