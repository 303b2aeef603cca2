// How the grid looks: the layout in pixels, and its three canvases. The names of the rows and the headings of the columns
// stay where they are; the cells are a picture as wide as the sight, drawn anew at each step of a scroll.

const ROW = 18, GROUP = 24, AMOUNT = 62, EMPTY = 255, SLANT = -Math.PI / 3, WIDE = 56 // pixels; from WIDE on a cell has its words

function themeOf(root, grid) {
  const style = getComputedStyle(root), of = (name) => style.getPropertyValue(name).trim()
  const pen = document.createElement("canvas").getContext("2d")
  pen.fillStyle = of("--st-background-color") // the canvas gives any colour back as #rrggbb
  const [red, green, blue] = [1, 3, 5].map((start) => parseInt(pen.fillStyle.slice(start, start + 2), 16))
  const dark = 0.299 * red + 0.587 * green + 0.114 * blue < 128
  return {
    dark,
    of: (pair) => pair[dark ? 1 : 0],
    background: of("--st-background-color"),
    band: of("--st-secondary-background-color"),
    ink: of("--st-text-color"),
    line: of("--st-border-color"),
    accent: dark ? "#8ab4ff" : "#1d4ed8",
    font: of("--st-font") || "sans-serif",
    hatch: hatchOf(pen, dark),
    ramp: grid.ramp ? (dark ? grid.ramp.dark : grid.ramp.light) : [],
  }
}

function layoutOf(grid, available) {
  const { rows, columns } = grid, hasNotes = rows.notes.some(Boolean)
  const left = rows.width + (hasNotes ? rows.note_width : 0) + (rows.amounts.length ? AMOUNT : 0)
  const longest = Math.max(4, ...columns.labels.map((label) => Math.min(label.length, 18)))
  const wide = columns.width >= WIDE
  const head = wide ? 34 : Math.round(24 + longest * 5.4)
  const lean = wide ? 0 : (head - 10) * 0.577 // room for the last slanted name
  const cell = wide ? columns.width : Math.min(30, Math.max(columns.width, Math.floor((available - left - lean) / Math.max(1, grid.width))))
  const tops = [], opens = [] // where each row begins; the rows that a heading stands above
  let y = 0
  for (let row = 0; row < grid.height; row++) {
    opens.push(Boolean(rows.groups.length) && rows.groups[row] !== rows.groups[row - 1])
    if (opens[row]) y += GROUP
    tops.push(y)
    y += ROW
  }
  const width = Math.ceil(cell * grid.width + lean) + 1
  const sight = Math.max(cell, Math.min(width, available - left)) // of the cells, in pixels
  return { available, hasNotes, names: left, head, cell, wide, tops, opens, width, sight, height: y + 1, stamps: new Map() }
}

// The columns in sight: hundreds of accounts are not drawn for each step of the cursor.
function inSight(grid, layout, left) {
  return [Math.max(0, Math.floor(left / layout.cell)), Math.min(grid.width, Math.ceil((left + layout.sight) / layout.cell))]
}

function penOf(canvas, width, height, theme) {
  const ratio = window.devicePixelRatio || 1, across = Math.round(width * ratio), down = Math.round(height * ratio)
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across
    canvas.height = down
    canvas.style.width = `${width}px`
    canvas.style.height = `${height}px`
  }
  const pen = canvas.getContext("2d")
  pen.setTransform(ratio, 0, 0, ratio, 0, 0)
  pen.fillStyle = theme.background
  pen.fillRect(0, 0, width, height)
  pen.textBaseline = "middle"
  return pen
}

function fit(pen, text, width) {
  const most = text.slice(0, 100), shown = (length) => `${most.slice(0, length)}…`
  if (most === text && pen.measureText(text).width <= width) return text
  let low = 1, high = most.length
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (pen.measureText(shown(middle)).width <= width) low = middle
    else high = middle - 1
  }
  return shown(low)
}

function drawNames(canvas, grid, layout, theme, [atRow, atColumn]) {
  const pen = penOf(canvas, layout.names, layout.height, theme)
  const room = grid.rows.width - 12, hasAmounts = grid.rows.amounts.length > 0
  const font = (weight) => { pen.font = `${weight} 12px ${theme.font}` }
  grid.rows.labels.forEach((label, row) => {
    const y = layout.tops[row]
    if (layout.opens[row]) {
      pen.fillStyle = theme.ink
      font(650)
      pen.fillText(fit(pen, grid.rows.groups[row], layout.names - 16), 8, y - GROUP / 2 + 2)
    }
    if (row === grid.chosen[0]) {
      pen.fillStyle = theme.band
      pen.fillRect(0, y, layout.names, ROW)
    }
    pen.fillStyle = theme.ink
    font(row === atRow ? 600 : 400)
    const name = fit(pen, label, room)
    pen.fillText(name, 8, y + ROW / 2)
    if (layout.hasNotes) {
      font(400)
      pen.globalAlpha = 0.62
      pen.fillText(fit(pen, grid.rows.notes[row], grid.rows.note_width - 8), grid.rows.width + 2, y + ROW / 2)
      pen.globalAlpha = 1
    }
    if (hasAmounts) {
      font(500)
      pen.textAlign = "right"
      pen.fillText(grid.rows.amounts[row] ?? "", layout.names - 8, y + ROW / 2)
      pen.textAlign = "left"
    }
    if (row === atRow && atColumn < 0) outline(pen, theme, 1, y, layout.names - 3, ROW - 1)
  })
}

function drawHead(canvas, grid, layout, theme, [atRow, atColumn], left) {
  const pen = penOf(canvas, layout.available, layout.head, theme), size = layout.cell, foot = layout.head - 12
  pen.font = `600 12px ${theme.font}`
  pen.fillStyle = theme.ink
  pen.fillText(fit(pen, grid.rows.title, grid.rows.width - 12), 8, foot)
  if (grid.rows.amounts.length) {
    pen.textAlign = "right"
    pen.fillText(fit(pen, grid.rows.amount_title, AMOUNT + 60), layout.names - 8, foot)
    pen.textAlign = "left"
  }
  pen.save()
  pen.beginPath()
  pen.rect(layout.names, 0, layout.available, layout.head)
  pen.clip()
  pen.translate(layout.names - left, 0)
  const [from, to] = inSight(grid, layout, left), leaning = layout.wide ? 0 : Math.ceil(layout.head / size)
  for (let column = Math.max(0, from - leaning); column < to; column++) { // a slanted name may lean into sight
    const label = grid.columns.labels[column], strong = column === atColumn || column === grid.sorted
    pen.save()
    if (layout.wide) pen.translate(column * size + 6, foot)
    else {
      pen.translate(column * size + size / 2, layout.head - 6)
      pen.rotate(SLANT)
    }
    pen.font = `${strong ? 650 : 400} 11.5px ${theme.font}`
    pen.fillStyle = theme.ink
    pen.globalAlpha = strong ? 1 : 0.78
    pen.fillText(fit(pen, column === grid.sorted ? `▾ ${label}` : label, layout.wide ? size - 8 : layout.head - 2), 0, 0)
    pen.restore()
    if (column === atColumn && atRow < 0) outline(pen, theme, column * size, layout.head - 5, size - 1, 4)
  }
  drawGroups(pen, grid, theme, size, from, to, layout.head - 4, 4)
  pen.restore()
  pen.fillStyle = theme.line
  pen.fillRect(0, layout.head - 1, layout.available, 1)
}

// A line before each group of columns.
function drawGroups(pen, grid, theme, size, from, to, top, height) {
  pen.fillStyle = theme.ink
  pen.globalAlpha = 0.5
  for (let column = Math.max(1, from); column <= to && column < grid.columns.groups.length; column++) {
    if (grid.columns.groups[column] !== grid.columns.groups[column - 1]) pen.fillRect(column * size - 1, top, 1, height)
  }
  pen.globalAlpha = 1
}

function drawCells(canvas, grid, layout, theme, [atRow, atColumn], left) {
  const pen = penOf(canvas, layout.sight, layout.height, theme), size = layout.cell
  const [from, to] = inSight(grid, layout, left)
  pen.translate(-left, 0)
  if (grid.chosen[0] >= 0) {
    pen.fillStyle = theme.band
    pen.fillRect(0, layout.tops[grid.chosen[0]], size * grid.width, ROW)
  }
  if (grid.chosen[1] >= 0) {
    pen.fillStyle = theme.band
    pen.fillRect(grid.chosen[1] * size, 0, size, layout.height - 1)
  }
  pen.strokeStyle = theme.line
  pen.globalAlpha = 0.5
  pen.lineWidth = 1
  if (grid.rows.groups.length) {
    layout.tops.forEach((y, row) => { if (layout.opens[row] && row) line(pen, 0, y - GROUP + 0.5, size * grid.width) })
  } else for (let row = 5; row <= grid.height; row += 5) line(pen, 0, row * ROW - 0.5, size * grid.width)
  drawGroups(pen, grid, theme, size, from, to, 0, layout.height)
  for (let row = 0; row < grid.height; row++) {
    for (let column = from; column < to; column++) {
      const index = row * grid.width + column
      if (grid.levels?.[index] === EMPTY) continue
      const style = grid.styles[grid.states[index]], x = column * size, y = layout.tops[row]
      if (style.fill) pen.drawImage(stampOf(layout, theme, style, hasFlag(grid, index)), x, y, size - 1, ROW - 1)
      else paint(pen, theme, style, grid.levels[index], x, y, size - 1, ROW - 1)
    }
  }
  if (atRow >= 0 && atColumn >= 0) outline(pen, theme, atColumn * size - 1, layout.tops[atRow] - 1, size + 1, ROW + 1)
}

function paint(pen, theme, style, level, x, y, width, height) {
  const step = Math.min(theme.ramp.length - 1, Math.floor((level / 100.01) * theme.ramp.length))
  pen.fillStyle = style.fill ? theme.of(style.fill) : theme.ramp[step]
  pen.fillRect(x, y, width, height)
  if (style.hatch) {
    pen.fillStyle = theme.hatch
    pen.fillRect(x, y, width, height)
  }
  if (!style.mark) return
  const middle = [x + width / 2, y + height / 2], radius = Math.min(3.6, width / 3.4)
  const ink = theme.of(style.ink)
  if (style.mark === "dot" || style.mark === "ring") {
    pen.beginPath()
    pen.arc(...middle, radius + 1.4, 0, 7)
    pen.fillStyle = theme.background
    pen.fill()
    pen.beginPath()
    pen.arc(...middle, style.mark === "ring" ? radius - 0.4 : radius, 0, 7)
    if (style.mark === "dot") {
      pen.fillStyle = ink
      pen.fill()
    } else {
      pen.strokeStyle = ink
      pen.lineWidth = 1.6
      pen.stroke()
    }
    return
  }
  pen.fillStyle = ink
  pen.font = `600 ${Math.min(12, width)}px ${theme.font}`
  pen.textAlign = "center"
  pen.fillText(style.mark, middle[0], middle[1] + 0.5)
  pen.textAlign = "left"
}

// One picture for all cells of a state: a glyph each is slow.
function stampOf(layout, theme, style, flagged) {
  const key = `${style.name} ${flagged}`
  if (!layout.stamps.has(key)) layout.stamps.set(key, stamp(theme, style, flagged, layout.cell - 1, ROW - 1, layout.wide))
  return layout.stamps.get(key)
}

function stamp(theme, style, flagged, width, height, wide) {
  const picture = document.createElement("canvas"), pen = penOf(picture, width, height, theme)
  paint(pen, theme, wide ? { ...style, mark: "" } : style, 0, 0, 0, width, height)
  if (wide) {
    pen.fillStyle = theme.of(style.ink)
    pen.font = `550 11px ${theme.font}`
    pen.fillText(fit(pen, `${style.mark} ${style.name}`, width - 7), 5, height / 2 + 0.5)
  }
  if (flagged) flag(pen, theme, style, width, 0)
  return picture
}

function flag(pen, theme, style, right, top) {
  pen.fillStyle = theme.of(style.ink)
  pen.globalAlpha = 0.6
  pen.beginPath()
  pen.moveTo(right - 5, top)
  pen.lineTo(right, top)
  pen.lineTo(right, top + 5)
  pen.fill()
  pen.globalAlpha = 1
}

function hatchOf(pen, dark) {
  const tile = document.createElement("canvas")
  tile.width = tile.height = 5
  const brush = tile.getContext("2d")
  brush.strokeStyle = dark ? "#aeb9c9" : "#5b6675"
  brush.lineWidth = 1
  brush.globalAlpha = 0.75
  for (const shift of [-5, 0, 5]) {
    brush.beginPath()
    brush.moveTo(shift, 5)
    brush.lineTo(shift + 5, 0)
    brush.stroke()
  }
  return pen.createPattern(tile, "repeat")
}

function outline(pen, theme, x, y, width, height) {
  pen.strokeStyle = theme.accent
  pen.lineWidth = 2.5
  pen.strokeRect(x, y, width, height)
}

function line(pen, x, y, length) {
  pen.beginPath()
  pen.moveTo(x, y)
  pen.lineTo(x + length, y)
  pen.stroke()
}

function drawLegend(legend, grid, theme) {
  const item = (picture, text) => {
    const element = document.createElement("span")
    element.className = "item"
    const words = document.createElement("span")
    words.textContent = text
    element.append(picture, words)
    return element
  }
  const scales = []
  if (grid.ramp && Object.values(grid.styles).some((style) => !style.fill)) {
    const ramp = document.createElement("span")
    ramp.className = "ramp"
    ramp.style.background = `linear-gradient(90deg, ${theme.ramp.join(",")})`
    const scale = item(ramp, grid.ramp.high), low = document.createElement("span")
    low.textContent = grid.ramp.low
    scale.prepend(low)
    scales.push(scale)
  }
  const samples = Object.values(grid.styles).filter((style) => style.in_legend).map((style) => {
    const picture = document.createElement("canvas"), pen = penOf(picture, 18, 14, theme)
    paint(pen, theme, style, 25, 0, 0, 18, 14)
    return item(picture, style.name)
  })
  if (grid.flag_name) {
    const picture = document.createElement("canvas"), pen = penOf(picture, 18, 14, theme), style = Object.values(grid.styles)[0]
    paint(pen, theme, { ...style, mark: "" }, 0, 0, 0, 18, 14)
    flag(pen, theme, style, 18, 0)
    samples.push(item(picture, grid.flag_name))
  }
  legend.replaceChildren(...scales, ...samples)
}
